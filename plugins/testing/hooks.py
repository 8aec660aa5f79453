"""The contract of a plugin's hooks as tests: pytest --pyargs plugins.testing.hooks --provider MODULE.

Each test is one promise of docs/plugins.md about events, blocks, pages and health; hooks that it lacks are left out.
"""

from plugins.testing.promises.hooks import *  # noqa: F403
