"""Which rules match which lines. The Matcher protocol and the indexed matcher, the reference.

A matcher decides every condition but those on matching.*, which need its answer first and are settled here for all.
"""

from typing import Protocol

from rules.compiled import CompiledRule, Matching
from rules.in_force import RulesInForce
from rules.reading import CartFacts, LineFacts


class Matcher(Protocol):
    """Decides, for each line, which rules' conditions hold, matching.* aside. Rules come in the order of codes."""

    def match(self, rules: RulesInForce, facts: CartFacts, late: bool) -> list[list[CompiledRule]]: ...


class IndexedMatcher:
    """Dictionaries by sku, category, customer and group, then plain tests: the reference matcher."""

    def match(self, rules: RulesInForce, facts: CartFacts, late: bool) -> list[list[CompiledRule]]:
        index = rules.late if late else rules.early
        if index.is_empty or not facts.lines:
            return [[] for _ in facts.lines]
        out = rules.out_of_scope(facts.customer)
        one_line = facts.lines[0]
        holds: dict[int, bool] = {}

        def holds_for_cart(compiled: CompiledRule) -> bool:
            answer = holds.get(compiled.ordinal)
            if answer is None:
                answer = compiled.ordinal not in out
                if answer:
                    for test in compiled.cart_tests:
                        if not test(one_line):
                            answer = False
                            break
                holds[compiled.ordinal] = answer
            return answer

        everywhere = [compiled for compiled in index.of_customer(facts.customer) if holds_for_cart(compiled)]
        return [
            _matched(everywhere + [one for one in index.of_line(line) if holds_for_cart(one)], line)
            for line in facts.lines
        ]


def _matched(candidates: list[CompiledRule], line: LineFacts) -> list[CompiledRule]:
    found = []
    for compiled in candidates:
        for test in compiled.line_tests:
            if not test(line):
                break
        else:
            found.append(compiled)
    if len(found) > 1:
        found.sort(key=_by_ordinal)
        # A list of tags or categories files a rule under several values that one line may have at once.
        return [one for place, one in enumerate(found) if not place or one is not found[place - 1]]
    return found


def _by_ordinal(compiled: CompiledRule) -> int:
    return compiled.ordinal


def settle(matched: list[list[CompiledRule]], facts: CartFacts) -> list[list[CompiledRule]]:
    """Drop the rules whose conditions on matching.* fail, now that the lines each rule sums over are known."""
    waiting: dict[int, list[LineFacts]] = {}
    for line, rules in zip(facts.lines, matched, strict=True):
        for compiled in rules:
            if compiled.matching_tests:
                waiting.setdefault(compiled.ordinal, []).append(line)
    if not waiting:
        return matched
    sums = {ordinal: Matching(lines) for ordinal, lines in waiting.items()}
    return [
        [
            one
            for one in rules
            if not one.matching_tests or all(test(line, sums[one.ordinal]) for test in one.matching_tests)
        ]
        for line, rules in zip(facts.lines, matched, strict=True)
    ]


INDEXED: Matcher = IndexedMatcher()
