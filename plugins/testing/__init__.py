"""The contract kit: tests that any payment or shipping provider must pass, run by its own author.

    pytest --pyargs plugins.testing.payments --provider my_package:MyPayments
    pytest --pyargs plugins.testing.shipping --provider my_package:MyShipping
    pytest --pyargs plugins.testing.hooks --provider my_plugin

The object named is the provider's class (of hooks: the module), or a Subject, Carrier or Listener that tells more.
"""

from plugins.testing.carrier import Carrier
from plugins.testing.listener import Listener
from plugins.testing.subject import MissingPartError, Subject

__all__ = ["Carrier", "Listener", "MissingPartError", "Subject"]
