"""Shipping slips: the files that the carriers' own software reads, and the tracking numbers it gives back. Pure."""

from storefront.slips.fields import TEMPERATURES, Sender, Slip, SlipError
from storefront.slips.files import CARRIERS, Carrier, export
from storefront.slips.slots import SLOTS, canonical
from storefront.slips.tracking import Tracked, TrackingError, check_digit_fits, link, read_tracking

__all__ = [
    "CARRIERS",
    "SLOTS",
    "TEMPERATURES",
    "Carrier",
    "Sender",
    "Slip",
    "SlipError",
    "Tracked",
    "TrackingError",
    "canonical",
    "check_digit_fits",
    "export",
    "link",
    "read_tracking",
]
