"""Payment providers that each break one promise of the contract, and the test of the kit that must notice."""

from support.kit_broken import after, itself, offer, start, webhook
from support.kit_broken.noting import BROKEN
from support.kit_broken.start import Hanging

__all__ = ["BROKEN", "Hanging", "after", "itself", "offer", "start", "webhook"]
