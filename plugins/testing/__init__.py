"""The contract kit: tests that any payment or shipping provider must pass, run by its own author.

    pytest --pyargs plugins.testing.payments --provider my_package:MyPayments
    pytest --pyargs plugins.testing.shipping --provider my_package:MyShipping

The object named is the provider's class, or a Subject (payments) or Carrier (shipping) that tells the kit more.
"""

from plugins.testing.carrier import Carrier
from plugins.testing.subject import MissingPartError, Subject

__all__ = ["Carrier", "MissingPartError", "Subject"]
