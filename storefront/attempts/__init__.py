"""What was refused and what became of it, and what rules on trial would have done; for the owner to learn from.

Recording never decides anything and never stands in a buyer's way.
"""

from storefront.attempts.models import Attempt, TrialResult

__all__ = ["Attempt", "TrialResult"]
