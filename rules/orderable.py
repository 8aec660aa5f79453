"""Whether any quantity at all can be ordered under quantity rules; fast however long their lists are.

Outcomes change only at thresholds, and behind a threshold the first quantity on the lots is as good as any other.
"""

from bisect import bisect_right
from collections.abc import Iterator

from rules.facts import MAX_QUANTITY
from rules.ruleset import QuantityEffect


def first_orderable(*effects: QuantityEffect) -> int | None:
    """The smallest quantity that no field blocks; None when every one is blocked."""
    judges = [_Judge(effect) for effect in effects]
    numbers = {1}.union(*(judge.thresholds() for judge in judges))
    candidates = set(numbers)
    for effect in effects:
        if effect.multiple is not None:
            start = effect.minimum if effect.multiple_from == "minimum" and effect.minimum else 0
            for number in numbers:
                steps = -(-max(0, number - start) // effect.multiple)
                candidates.add(start + steps * effect.multiple)
    for quantity in sorted(candidates):
        if 1 <= quantity <= MAX_QUANTITY and not any(judge.blocks(quantity) for judge in judges):
            return quantity
    return None


class _Judge:
    """One effect, ready to be asked about many quantities."""

    def __init__(self, effect: QuantityEffect) -> None:
        self.effect = effect
        self.allowed = None if effect.allowed is None else frozenset(effect.allowed)
        # `below` falls from entry to entry; turned around it can be searched.
        entries = [(int(entry.at_least or 0), entry.outcome) for entry in reversed(effect.below)]
        self.starts = [start for start, _ in entries]
        self.outcomes = [outcome for _, outcome in entries]

    def thresholds(self) -> Iterator[int]:
        effect = self.effect
        for number in (effect.minimum, effect.maximum, *(effect.allowed or ())):
            if number is not None:
                yield number
                yield number + 1
        yield from (max(1, start) for start in self.starts)

    def blocks(self, quantity: int) -> bool:
        """Whether some field of the effect refuses the quantity outright."""
        effect = self.effect
        if effect.minimum is not None and quantity < effect.minimum:
            place = bisect_right(self.starts, quantity) - 1
            if place < 0 or self.outcomes[place] == "block":
                return True
        if effect.maximum is not None and quantity > effect.maximum and effect.above == "block":
            return True
        if effect.off_multiple != "block":
            return False
        if self.allowed is not None and quantity not in self.allowed:
            return True
        return effect.multiple is not None and self._is_off(quantity, effect.multiple)

    def _is_off(self, quantity: int, multiple: int) -> bool:
        minimum = self.effect.minimum
        if self.effect.multiple_from == "minimum" and minimum is not None:
            return quantity > minimum and (quantity - minimum) % multiple != 0
        return quantity % multiple != 0
