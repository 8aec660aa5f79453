"""A draft of the rules over past orders, at the desk: choose, wait, read, take as CSV, tell the customers.

The counting is done by the outbox worker; nothing here changes a rule or an order.
"""

from __future__ import annotations

from storefront.admin.desk import bp
from storefront.comparisons import offer_to

bp.record(lambda state: offer_to(state.app.jinja_env))
