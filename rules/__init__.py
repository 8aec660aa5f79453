"""The public face of the rules engine: files in, decisions out. Nothing else of rules/ is imported from outside.

Most names are imported when first used, so that a command pays only for what it needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

# At once, and last of its name: the function and its module share a name, and the package must show the function.
from rules.evaluate import evaluate as evaluate

if TYPE_CHECKING:
    from rules.carts import read_cart as read_cart
    from rules.carts import read_json as read_json
    from rules.catalog import Catalog as Catalog
    from rules.catalog import read_catalog as read_catalog
    from rules.decision import Decision as Decision
    from rules.decision import Issue as Issue
    from rules.decision import LineDecision as LineDecision
    from rules.durable import checkout_matcher as checkout_matcher
    from rules.durable import durable_is_available as durable_is_available
    from rules.errors import CartError as CartError
    from rules.errors import Fault as Fault
    from rules.errors import Finding as Finding
    from rules.errors import MatcherDisagreement as MatcherDisagreement
    from rules.errors import MatcherError as MatcherError
    from rules.errors import MatcherFailed as MatcherFailed
    from rules.errors import RulesetError as RulesetError
    from rules.errors import TieError as TieError
    from rules.facts import VISITOR as VISITOR
    from rules.facts import Cart as Cart
    from rules.facts import Customer as Customer
    from rules.facts import Line as Line
    from rules.facts import Method as Method
    from rules.facts import Product as Product
    from rules.facts import ShipTo as ShipTo
    from rules.files import Loaded as Loaded
    from rules.files import load_ruleset as load_ruleset
    from rules.ruleset import Policy as Policy
    from rules.ruleset import Rule as Rule
    from rules.ruleset import RuleException as RuleException
    from rules.ruleset import Ruleset as Ruleset

_HOME = {
    "carts": "read_cart read_json",
    "catalog": "Catalog read_catalog",
    "decision": "Decision Issue LineDecision",
    "durable": "checkout_matcher durable_is_available",
    "errors": "CartError Fault Finding MatcherDisagreement MatcherError MatcherFailed RulesetError TieError",
    "facts": "VISITOR Cart Customer Line Method Product ShipTo",
    "files": "Loaded load_ruleset",
    "ruleset": "Policy Rule RuleException Ruleset",
}
_MODULE_OF = {name: f"rules.{module}" for module, names in _HOME.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'rules' has no attribute {name!r}")
    return getattr(import_module(_MODULE_OF[name]), name)


def __dir__() -> list[str]:
    return sorted([*_MODULE_OF, "evaluate"])
