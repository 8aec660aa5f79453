"""Orders on the way that are not a cart: written down at the desk, read from a buyer's file, or ordered again.

Lines as typed and the checkout's form; priced and placed by the same functions as a cart, with a channel of their own.
"""

from storefront.entry.models import BUYER_CHANNELS, DESK_CHANNELS, Entry

__all__ = ["BUYER_CHANNELS", "DESK_CHANNELS", "Entry"]
