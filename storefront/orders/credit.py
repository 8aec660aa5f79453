"""Credit: what a company owes on account. Asked under the lock of the company's row when an order is placed."""

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from storefront.orders.models import Order

NET_TERMS = "net_terms"
# Accepted and not yet settled. What awaits approval is not accepted; a closed order is paid.
OWED = ("awaiting_payment", "confirmed", "in_production", "shipped", "delivered")


_OWED = select(func.coalesce(func.sum(Order.total_minor), 0)).where(
    Order.company_id == bindparam("company"), Order.payment_code == NET_TERMS, Order.state.in_(OWED)
)


def exposure_minor(session: Session, company_id: int) -> int:
    """Totals, with tax, of accepted orders on account that are not settled (orders-and-papers.md, Net terms)."""
    return int(session.scalar(_OWED, {"company": company_id}) or 0)
