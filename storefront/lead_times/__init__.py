"""Lead times: the tiers that a rule offers, each with the day it can promise, and the room that orders take.

The rules list the tiers and price them; the day is worked out here, from calendar, clock and what is booked.
"""

from storefront.lead_times.bookings import book, release
from storefront.lead_times.models import LeadTimeBooking, LeadTimeTier
from storefront.lead_times.promising import TierOffer, offers_of, promise_anew, usual

__all__ = [
    "LeadTimeBooking",
    "LeadTimeTier",
    "TierOffer",
    "book",
    "offers_of",
    "promise_anew",
    "release",
    "usual",
]
