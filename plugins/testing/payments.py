"""The contract of a payment provider as tests: pytest --pyargs plugins.testing.payments --provider PKG:OBJ.

Each test is one promise of docs/plugins.md. Each builds a provider of its own; what cannot be tried is left out.
"""

from plugins.testing.promises.payment_after import *  # noqa: F403
from plugins.testing.promises.payment_itself import *  # noqa: F403
from plugins.testing.promises.payment_lost import *  # noqa: F403
from plugins.testing.promises.payment_offer import *  # noqa: F403
from plugins.testing.promises.payment_refund import *  # noqa: F403
from plugins.testing.promises.payment_start import *  # noqa: F403
from plugins.testing.promises.payment_webhook import *  # noqa: F403
