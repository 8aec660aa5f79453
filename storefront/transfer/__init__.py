"""Products, customers and price tables as CSV, in and out: read, plan, apply, write.

read is pure, plan only looks, apply writes everything or nothing inside the caller's write transaction.
A file that was exported and comes back unchanged changes nothing.
"""

from storefront.transfer.records import (
    Change,
    FieldChange,
    Limits,
    Plan,
    PlanRefusedError,
    Record,
    RowError,
    Rows,
    ShopFacts,
)

__all__ = [
    "Change",
    "FieldChange",
    "Limits",
    "Plan",
    "PlanRefusedError",
    "Record",
    "RowError",
    "Rows",
    "ShopFacts",
]
