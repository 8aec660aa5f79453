"""Static checks over a whole rule set: names, circles, ties, and rules that can never apply.

Adds findings only; one file at a time was checked when it was read. CHECKS lists every code.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from rules.catalog import Catalog
from rules.check_table import CHECKS as CHECKS
from rules.date_checks import check_gaps
from rules.meeting import Known, Place, Profile
from rules.names import KINDS, NAMES, Names, unknown_name
from rules.quantity_checks import check_breaks, check_leftovers, implies
from rules.quantity_places import check_meetings
from rules.reading import when_facts
from rules.report import Report, Source, nearest, shown
from rules.ruleset import (
    AnyOf,
    Condition,
    MethodEffect,
    OrderEffect,
    PriceEffect,
    QuantityEffect,
    Rule,
    RuleException,
    Ruleset,
    WhenLine,
)
from rules.said import Said, joined, say
from rules.satisfy import can_hold
from rules.similar import check_similar_names
from rules.ties import Ties, fields_of, tie_message

# Groups whose rules add up or deny, except where they set free_from or terms (rule-semantics 41, 45).
_ADDING = ("CA", "SC", "SH", "PM")


def check_ruleset(
    report: Report,
    ruleset: Ruleset,
    catalog: Catalog,
    names: Names,
    codes: Mapping[str, str],
    today: date | None,
) -> None:
    """Adds what is wrong with the rules together. `codes` are all codes met, also of files with errors."""
    for rule in ruleset.rules:
        source = Source(report, rule.path, rule.lines, rule.code)
        _check_names(source, rule, names)
        _check_beats(source, rule, ruleset, codes)
        _check_per(source, rule)
        if today is not None and rule.until_on is not None and rule.until_on < today:
            source.problem("expired", "until", say("rule.ended", code=rule.code, until=rule.until_on))
    _check_circles(report, ruleset)
    _check_exceptions(report, ruleset.exceptions, today)
    check_similar_names(report, ruleset, catalog)
    profiles = [Profile.of(rule) for rule in ruleset.rules if rule.mode != "off" and rule.group != "FU"]
    known = Known(catalog)
    _check_never(report, profiles, known)
    check_breaks(report, profiles)
    profiles = [profile for profile in profiles if not _impossible(profile)]  # they meet no other rule
    _check_beaten(report, profiles, ruleset.policy.price_choice)
    told = check_leftovers(report, profiles, known)
    check_meetings(report, profiles, known, today, told)
    check_gaps(report, ruleset, today)
    sources = {rule.code: Source(report, rule.path, rule.lines, rule.code) for rule in ruleset.rules}

    def tell(check: str, name: Said, first: Profile, second: Profile, place: Place) -> None:
        tie_message(sources[second.rule.code], check, name, first, second, place)

    Ties(ruleset, known, tell).find(profiles)


# names


def _lines_of(when: Iterable[WhenLine | AnyOf]) -> Iterator[tuple[WhenLine, str]]:
    """Each line of a [when], those of `any` too, with its key path."""
    for entry in when:
        if isinstance(entry, AnyOf):
            for place, table in enumerate(entry.tables):
                for line in table:
                    yield line, f"when.any.{place}.{line.fact}"
        else:
            yield entry, f"when.{entry.fact}"


def _check_names(source: Source, rule: Rule, names: Names) -> None:
    for line, path in _lines_of(rule.when):
        kind = KINDS.get(line.fact)
        if kind is not None:
            for condition in line.conditions:
                _check_condition(source, names, kind, condition, path)
    if rule.scope is not None:
        _check_each(source, names, "customer", rule.scope.customers, "scope.customers")
    effect = rule.effect
    if isinstance(effect, MethodEffect):
        name = source.stage = "shipping" if rule.group == "SH" else "payment"
        for word, methods in (("only", effect.only), ("hide", effect.hide), ("methods", effect.methods)):
            _check_each(source, names, "method", methods or (), f"{name}.{word}")
    if (tax := getattr(effect, "tax", None)) is not None:
        _check_each(source, names, "tax", (tax,), "surcharge.tax")
    for place, entry in enumerate(getattr(effect, "below", ())):
        if entry.tax is not None:
            table = "order" if rule.group == "OR" else "quantity"
            _check_each(source, names, "tax", (entry.tax,), f"{table}.below.{place}.tax")


def _check_condition(source: Source, names: Names, kind: str, condition: Condition, path: str) -> None:
    if condition.op in ("eq", "one_of", "not", "not_in"):
        values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
        _check_each(source, names, kind, values, path)


def _check_each(source: Source, names: Names, kind: str, values: Iterable[str], path: str) -> None:
    called = NAMES["product" if kind == "sku" else kind]
    for value in () if source.report.is_full else values:
        if not names.is_known(kind, value):
            said = unknown_name(called, value)
            source.problem(f"unknown-{kind}", path, said, names.nearest(kind, value))


# beats


def _check_beats(source: Source, rule: Rule, ruleset: Ruleset, codes: Mapping[str, str]) -> None:
    rules = {other.code: other for other in ruleset.rules} if rule.beats else {}
    for code in rule.beats:
        other = rules.get(code)
        if code not in codes:
            said = say("name.rule", code=shown(code))
            source.problem("unknown-rule", "beats", said, nearest(code, codes))
        elif code[:2] != rule.code[:2]:
            said = say("beats.other-group", code=code, rule=rule.code)
            source.problem("beats-needless", "beats", said)
        elif (
            other is not None
            and rule.group in _ADDING
            and not (fields_of(rule.effect) or fields_of(other.effect))
        ):
            source.problem("beats-needless", "beats", say("beats.adding", rule=rule.code, code=code))


def _check_circles(report: Report, ruleset: Ruleset) -> None:
    """Each circle is told once, at its smallest code."""
    beats = {rule.code: list(rule.beats) for rule in ruleset.rules if rule.beats}
    done: set[str] = set()
    for start in sorted(beats):
        path: list[str] = []
        on_path: set[str] = set()
        stack: list[tuple[str, int]] = [(start, 0)]
        while stack:
            code, place = stack.pop()
            if place == 0:
                if code in on_path:
                    _tell_circle(report, ruleset, path[path.index(code) :])
                    continue
                if code in done or code not in beats:
                    continue
                path.append(code)
                on_path.add(code)
            if place < len(beats[code]):
                stack.append((code, place + 1))
                stack.append((beats[code][place], 0))
            else:
                path.pop()
                on_path.discard(code)
                done.add(code)


def _tell_circle(report: Report, ruleset: Ruleset, circle: list[str]) -> None:
    rule = ruleset.rule(min(circle))
    source = Source(report, rule.path, rule.lines, rule.code)
    codes = joined("join.beats", [*circle, circle[0]])
    source.problem("beats-circle", "beats", say("beats.circle", codes=codes))


# one rule, one exception


def _check_per(source: Source, rule: Rule) -> None:
    """A surcharge that sees no product must say how often it is charged (rule-semantics 89)."""
    facts = when_facts(rule.when)
    sees_no_product = facts and all(fact.startswith(("order.", "customer.")) for fact in facts)
    if rule.group == "SC" and sees_no_product and "per" not in rule.raw:
        source.problem(
            "surcharge-without-per",
            "surcharge",
            say("surcharge.per", code=rule.code),
            say("surcharge.per-hint"),
        )


def _check_exceptions(report: Report, exceptions: Iterable[RuleException], today: date | None) -> None:
    same: dict[tuple[str, str | None, str | None], list[RuleException]] = {}
    for exception in exceptions:
        if today is not None and exception.until_on is not None and exception.until_on < today:
            said = say("exception.ended", until=exception.until_on)
            report.add("expired", exception.path, 1, said, rule=exception.rule)
        same.setdefault((exception.rule, exception.customer, exception.sku), []).append(exception)
    for equal in same.values():
        equal.sort(key=lambda one: (one.from_on or date.min, one.path))
        longest = equal[0]
        for after in equal[1:]:
            if (after.from_on or date.min) <= (longest.until_on or date.max):
                said = say("exception.repeated", path=longest.path, code=after.rule)
                report.add("repeated-exception", after.path, 1, said, rule=after.rule)
            longest = max(longest, after, key=lambda one: one.until_on or date.max)


def _check_never(report: Report, profiles: Iterable[Profile], known: Known) -> None:
    """Rules that no line can match (rule-semantics 134); not told where a wrong name is the cause."""
    misnamed = {one.rule for one in report.findings if one.check.startswith(("unknown-", "similar-"))}
    for profile in profiles:
        reason = None if profile.rule.code in misnamed else _never(profile, known)
        if reason is not None:
            source = Source(report, profile.rule.path, profile.rule.lines, profile.rule.code)
            source.problem("never-applies", "when", say("never.because", code=profile.rule.code, why=reason))


def _check_beaten(report: Report, profiles: Iterable[Profile], price_choice: str) -> None:
    """Rules that never win: one of equal rank that names them in `beats` holds wherever they do."""
    if any(finding.check == "beats-circle" for finding in report.findings):
        return  # nobody wins there
    live = {profile.rule.code: profile for profile in profiles if profile.rule.mode == "live"}
    for winner in live.values():
        for code in winner.rule.beats:
            loser = live.get(code)
            if loser is not None and _always_beats(winner, loser, price_choice):
                source = Source(report, loser.rule.path, loser.rule.lines, loser.rule.code)
                why = say("never.beaten", winner=winner.rule.code, path=winner.rule.path)
                source.problem("never-applies", "when", say("never.because", code=code, why=why))


def _always_beats(winner: Profile, loser: Profile, price_choice: str) -> bool:
    """Whether everything the loser says is said by the winner too, on every line; False in doubt."""
    mine, theirs = winner.rule.effect, loser.rule.effect
    lost, won = fields_of(theirs, price_choice), fields_of(mine, price_choice)
    if not lost or not lost.keys() <= won.keys() or winner.rank != loser.rank:
        return False
    if winner.rule.scope not in (None, loser.rule.scope) or not implies(loser, winner):
        return False
    if isinstance(mine, PriceEffect) and isinstance(theirs, PriceEffect):  # others may name no price
        return mine.kind == "unit" or (mine.kind == theirs.kind and mine.kind not in ("table", "breaks"))
    return isinstance(mine, QuantityEffect | OrderEffect)


def _impossible(profile: Profile) -> str:
    """The fact that no value satisfies, in every way in which the rule could hold; empty when there is one."""
    impossible = ""
    for facts in profile.facts:
        bad = next((fact for fact, conditions in facts.items() if not can_hold(conditions)), None)
        if bad is None:
            return ""
        impossible = bad
    return impossible


def _never(profile: Profile, known: Known) -> Said | None:
    if fact := _impossible(profile):
        return say("never.no-value", fact=fact)
    return None if known.admits_any(profile) else say("never.nobody")
