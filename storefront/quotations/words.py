"""Words of quotation requests: states with their shapes, and what a request is for."""

from __future__ import annotations

from datetime import date

from storefront.language import N_
from storefront.quotations.models import QuotationRequest

# state: its word, and the shape beside it
STATE_WORDS = {
    "received": (N_("Received, we are working on it"), "half"),
    "answered": (N_("Answered"), "ok"),
    "expired": (N_("Answered, the time is over"), "none"),
    "declined": (N_("We cannot offer it"), "block"),
    "closed": (N_("Closed"), "none"),
}
# the same for the desk, where one's own work waits
DESK_WORDS = STATE_WORDS | {"received": (N_("Waits for our answer"), "approval")}
PURPOSES = {
    "normal": N_("Normal order"),
    "prototype": N_("Prototype"),
    "defect_fix": N_("To replace defective pieces"),
    "top_up": N_("To top up an earlier order"),
}


def shown_state(request: QuotationRequest, on: date) -> str:
    """The state with time taken into account: an answer lapses after its last day."""
    is_over = request.valid_until is not None and request.valid_until < on
    return "expired" if request.state == "answered" and is_over else request.state


def is_open_to_order(request: QuotationRequest, on: date) -> bool:
    """Whether what was asked for can go into the cart as it was answered."""
    opened = any(line.is_open for line in request.lines)
    return request.state == "answered" and opened and shown_state(request, on) == "answered"
