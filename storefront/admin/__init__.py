"""The owner's desk: one file per screen, all for staff; what moves money or rules is for the owner.

Cost, margin, credit limits and notes are shown here and nowhere else.
"""

from storefront.admin import (  # noqa: F401  (each registers its views)
    api_keys,
    applications,
    audit_log,
    bank,
    cards,
    customers,
    entries,
    exceptions,
    files,
    incidents,
    jobs,
    mails,
    order_address,
    orders,
    payments,
    plugin_pages,
    plugin_settings,
    plugins,
    products,
    quotations,
    refusals,
    replays,
    rule_editor,
    rule_history,
    rule_patterns,
    rule_previews,
    rules,
    shipments,
    shipping_trial,
    stock,
    today,
    trials,
    words,
)
from storefront.admin.desk import TABS, bp

__all__ = ["TABS", "bp"]
