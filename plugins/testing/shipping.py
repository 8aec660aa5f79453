"""The contract of a shipping provider as tests: pytest --pyargs plugins.testing.shipping --provider PKG:OBJ.

Each test is one promise of docs/plugins.md. Each builds a provider of its own; what cannot be tried is left out.
"""

from plugins.testing.promises.shipping_itself import *  # noqa: F403
from plugins.testing.promises.shipping_quote import *  # noqa: F403
