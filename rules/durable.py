"""The matcher that decides at checkout: durable-rules, driven directly, and checked by the indexed matcher.

The only file that imports the engine. It gives the right answer or raises MatcherError; it never means "no rule".
Its Host races its own timers and loses matches, so nothing of it is used; networks.py keeps far from the limits.
"""

import json
import os
import re
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any

from rules.compiled import CompiledRule
from rules.errors import MatcherDisagreement, MatcherFailed
from rules.in_force import RulesInForce
from rules.matching import INDEXED, Matcher
from rules.networks import CATCH_ALL, MOST_LINES, Translator
from rules.reading import CartFacts, LineFacts
from rules.shards import Plan, Shard

try:
    import durable_rules_engine as engine
except ImportError:  # no wheel for this machine: checkout_matcher falls back to the indexed matcher
    engine = None

Answers = list[list[CompiledRule]]
_names = count(1)
_sids = count(1)
_RULE = re.compile(r'\{"(\w+)":\[')
_MATCH = re.compile(r'\{"m":\{"id":"(\d+)"')


def durable_is_available() -> bool:
    """Whether durable-rules can be used on this machine; `koguchi health` says so."""
    return engine is not None


class Network:
    """One network in the engine's memory, given back when this object dies. One cart at a time."""

    def __init__(self, shard: Shard, translator: Translator) -> None:
        self.shard = shard
        # Not yet shared, and `define` names the properties that facts must carry, so no lock is needed here.
        definition = shard.define(translator)
        self._handle = engine.create_ruleset(f"koguchi-{os.getpid()}-{next(_names)}", definition)
        weakref.finalize(self, engine.delete_ruleset, self._handle).atexit = False
        self._lock = threading.Lock()

    def ask(self, bodies: list[str]) -> list[tuple[int, int]]:
        """(ordinal of a rule, place of a body) for each match. Every body must come back through the catch-all."""
        sid = str(next(_sids))
        facts = ",".join(f'{{"id":"{place}","sid":"{sid}","z":1{body}}}' for place, body in enumerate(bodies))
        with self._lock:
            messages = self._messages(sid, f"[{facts}]")
        found: list[tuple[int, int]] = []
        seen: set[int] = set()
        for message in messages:
            name = _RULE.match(message)
            if name is None:
                raise MatcherFailed("durable-rules gave an answer of unknown form")
            places = map(int, _MATCH.findall(message))
            if name.group(1) == CATCH_ALL:
                seen.update(places)
            else:
                ordinal = int(name.group(1)[1:])
                found += [(ordinal, place) for place in places]
        if len(seen) != len(bodies):
            raise MatcherFailed(f"durable-rules looked at {len(seen)} of {len(bodies)} facts")
        return found

    def _messages(self, sid: str, facts: str) -> list[str]:
        """Post the facts and take every match out; the state is dropped whatever happens."""
        found: list[str] = []
        try:
            code, state = engine.assert_facts(self._handle, facts)
            if code:
                raise MatcherFailed(f"durable-rules refused a fact, code {code}")
            started = engine.start_action_for_state(self._handle, state)
            message = started[1] if started else None
            while message:
                found.append(message)
                if len(found) > len(self.shard.rules) + 1:  # each rule and the catch-all speak once at most
                    raise MatcherFailed("durable-rules does not stop answering")
                message = engine.complete_and_start_action(self._handle, state)
        finally:
            with suppress(engine.error):  # posting may have failed before there was a state
                engine.delete_state(self._handle, sid)
        return found


class Networks:
    """The networks of one RulesInForce, early or late, built when a line first needs them, anew after a fork."""

    def __init__(self, rules: RulesInForce, late: bool) -> None:
        self.pid = os.getpid()
        self.plan = Plan(rules, late)
        self._built: dict[int, Network] = {}
        self._lock = threading.Lock()

    def network(self, number: int) -> Network:
        found = self._built.get(number)
        if found is None:
            with self._lock:
                found = self._built.get(number)
                if found is None:
                    found = Network(self.plan.shards[number], self.plan.translator)
                    self._built[number] = found
        return found


class DurableMatcher:
    """durable-rules decides. `deadline` is in seconds of this thread's own work on one question.

    Not of wall time: a busy machine must not refuse orders. Building networks does not count either.
    """

    def __init__(self, deadline: float = 0.2, clock: Callable[[], float] = time.thread_time) -> None:
        self.deadline = deadline
        self.clock = clock

    def match(self, rules: RulesInForce, facts: CartFacts, late: bool) -> Answers:
        """Raises MatcherFailed on any error and when the deadline passes."""
        try:
            return self._match(rules, facts, late)
        except MatcherFailed:
            raise
        except Exception as error:
            raise MatcherFailed(f"durable-rules failed: {error}", {"error": repr(error)}) from error

    def _match(self, rules: RulesInForce, facts: CartFacts, late: bool) -> Answers:
        networks = _networks(rules, late)
        met = [(networks.network(number), lines) for number, lines in networks.plan.met(facts).items()]
        until = self.clock() + self.deadline
        known: dict[Any, int | None] = {}
        found: list[set[int]] = [set() for _ in facts.lines]
        for network, lines in met:
            bodies = network.shard.bodies(lines, known)
            texts = list(bodies)
            for start in range(0, len(texts), MOST_LINES):
                chunk = texts[start : start + MOST_LINES]
                for ordinal, place in network.ask(chunk):
                    for line in bodies[chunk[place]]:
                        found[line].add(ordinal)
                if self.clock() > until:
                    raise MatcherFailed(f"durable-rules took longer than {self.deadline:g} s")
        return [[rules.rules[ordinal] for ordinal in sorted(ordinals)] for ordinals in found]


def _networks(rules: RulesInForce, late: bool) -> Networks:
    """Two threads may plan at once; one plan stays, the other serves its own cart and dies."""
    found: Networks | None = rules.networks.get(late)
    if found is None or found.pid != os.getpid():
        # A child gets networks of its own: a lock copied while another thread held it would never open.
        found = rules.networks[late] = Networks(rules, late)
    return found


class CheckedMatcher:
    """`decides` answers, `checks` must name the same rules for every line, else MatcherDisagreement."""

    def __init__(self, decides: Matcher, checks: Matcher) -> None:
        self.decides = decides
        self.checks = checks

    def match(self, rules: RulesInForce, facts: CartFacts, late: bool) -> Answers:
        decided = self.decides.match(rules, facts, late)
        checked = self.checks.match(rules, facts, late)
        if decided != checked:
            raise _disagreement(facts, decided, checked)
        return decided


def _disagreement(facts: CartFacts, decided: Answers, checked: Answers) -> MatcherDisagreement:
    if len(decided) != len(facts.lines):
        return MatcherDisagreement(f"{len(decided)} answers for {len(facts.lines)} lines")
    differing = [
        (line, [rule.code for rule in one], [rule.code for rule in other])
        for line, one, other in zip(facts.lines, decided, checked, strict=True)
        if one != other
    ]
    return MatcherDisagreement(
        "two matchers name different rules for line " + ", ".join(line.line.id for line, _, _ in differing),
        {
            "on": facts.on.isoformat(),
            "lines": [_both(line, decides, checks) for line, decides, checks in differing],
        },
    )


def _both(line: LineFacts, decides: list[str], checks: list[str]) -> dict[str, Any]:
    return {
        "id": line.line.id,
        "sku": line.sku,
        "quantity": line.quantity,
        "decides": decides,
        "checks": checks,
    }


_CHECKED: Matcher = CheckedMatcher(DurableMatcher(), INDEXED)


def checkout_matcher(setting: str) -> Matcher:
    """The matcher for `[rules] matcher`: "durable" (checked; the indexed one where it is missing) or "indexed"."""
    if setting not in ("durable", "indexed"):
        raise ValueError(f'[rules] matcher is {json.dumps(setting)}; allowed are "durable" and "indexed"')
    return _CHECKED if setting == "durable" and durable_is_available() else INDEXED
