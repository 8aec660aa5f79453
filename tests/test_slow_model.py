"""evaluate and the slow model, written from the same text by different hands, decide random carts alike.

KOGUCHI_LONG_RUN=100000 tries that many shops; the default is small and always the same.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rules import CartError, Ruleset, TieError, evaluate, load_ruleset, read_cart
from support.random_shop import CATALOG, METHODS, Shop, random_cart
from support.slow_model import Tie, decide

LONG = int(os.environ.get("KOGUCHI_LONG_RUN", "0"))
CARTS = 3
some_shops = settings(max_examples=LONG or 60, derandomize=not LONG, database=None, deadline=None)
_TEXTS = ("message", "label", "why")


@contextmanager
def shop_folder(files: dict[str, str]) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="koguchi-random-"))
    try:
        for name, text in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        yield folder
    finally:
        shutil.rmtree(folder)


def load(files: dict[str, str]) -> Ruleset | None:
    """The rule set of these files; None when they contradict each other (a tie, no quantity left ...)."""
    with shop_folder(files) as folder:
        loaded = load_ruleset(folder, CATALOG, METHODS)
    wrong = [one for one in loaded.errors if one.check not in ALLOWED_ERRORS]
    assert not wrong, "\n".join([*map(str, wrong), *(f"--- {name}\n{text}" for name, text in files.items())])
    return loaded.ruleset


# What a random shop may get wrong without the generator being at fault.
ALLOWED_ERRORS = frozenset(
    {"tie", "no-quantity", "maximum-below-minimum", "wrong-value", "repeated-exception", "missing-key"}
)


def without_texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_texts(inner) for key, inner in value.items() if key not in _TEXTS}
    return [without_texts(one) for one in value] if isinstance(value, list) else value


def decided(ruleset: Ruleset, data: dict[str, Any]) -> Any:
    try:
        cart, on = read_cart(data, ruleset, CATALOG)
        assert on is not None
        found = evaluate(ruleset, cart, on, explain=True).as_json()
    except TieError:
        return "tie"
    except CartError:
        return "refused"
    found["considered"] = [(one["code"], one.get("line"), one["status"]) for one in found["considered"]]
    return without_texts(found)


def modelled(ruleset: Ruleset, data: dict[str, Any]) -> Any:
    try:
        cart, on = read_cart(data, ruleset, CATALOG)
        return decide(ruleset, cart, on)
    except Tie:
        return "tie"
    except CartError:
        return "refused"


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Where two decisions differ, in words."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [
            line
            for key in {**one, **other}
            for line in differences(one.get(key, "absent"), other.get(key, "absent"), f"{path}.{key}")
        ]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [
            line
            for place, (mine, theirs) in enumerate(zip(one, other, strict=True))
            for line in differences(mine, theirs, f"{path}[{place}]")
        ]
    return [] if one == other else [f"{path}: evaluate says {one!r}, the model {other!r}"]


@some_shops
@given(st.randoms(use_true_random=True))
def test_evaluate_and_the_model_written_from_the_text_agree_on_every_decision(draw: Random) -> None:
    shop = Shop(draw)
    ruleset = load(shop.files)
    if ruleset is None:
        return
    for _ in range(CARTS):
        data = random_cart(draw, shop)
        wrong = differences(decided(ruleset, data), modelled(ruleset, data))
        assert not wrong, "\n".join([*wrong, str(data), *(f"--- {n}\n{t}" for n, t in shop.files.items())])


def as_bytes(ruleset: Ruleset, data: dict[str, Any]) -> bytes | str:
    try:
        cart, on = read_cart(data, ruleset, CATALOG)
        assert on is not None
        return evaluate(ruleset, cart, on, explain=True).to_bytes()
    except (TieError, CartError) as error:
        return type(error).__name__


few_shops = settings(some_shops, max_examples=LONG or 40)


@few_shops
@given(st.randoms(use_true_random=True))
def test_no_order_of_rules_or_exceptions_changes_a_byte(draw: Random) -> None:
    shop = Shop(draw)
    ruleset = load(shop.files)
    if ruleset is None:
        return
    rules, exceptions = list(ruleset.rules), list(ruleset.exceptions)
    draw.shuffle(rules)
    draw.shuffle(exceptions)
    by_code = sorted(rules, key=lambda rule: rule.code)  # a rule set is sorted by code, however it was read
    shuffled = replace(ruleset, rules=tuple(by_code), exceptions=tuple(exceptions), compiled={})
    for _ in range(CARTS):
        data = random_cart(draw, shop)
        assert as_bytes(ruleset, data) == as_bytes(shuffled, data), (data, shop.files)


@few_shops
@given(st.randoms(use_true_random=True))
def test_the_order_of_lines_changes_only_their_order(draw: Random) -> None:
    shop = Shop(draw)
    ruleset = load(shop.files)
    if ruleset is None:
        return
    data = random_cart(draw, shop)
    names = ["a", "b", "c", "d"]
    data["lines"] = [line | {"id": name} for line, name in zip(data["lines"], names, strict=False)]
    turned = data | {"lines": data["lines"][::-1]}
    wrong = differences(in_one_order(decided(ruleset, data)), in_one_order(decided(ruleset, turned)))
    assert not wrong, "\n".join([*wrong, str(data), *(f"--- {n}\n{t}" for n, t in shop.files.items())])


def in_one_order(decision: Any) -> Any:
    """A decision with everything that follows the cart's order sorted by what it says."""
    if isinstance(decision, dict):
        kept = {key: in_one_order(value) for key, value in decision.items()}
        return {
            key: sorted(value, key=str) if isinstance(value, list) and key != "steps" else value
            for key, value in kept.items()
        }
    return [in_one_order(one) for one in decision] if isinstance(decision, list) else decision


@few_shops
@given(st.randoms(use_true_random=True))
def test_a_rule_that_is_not_applied_can_be_deleted_without_a_trace(draw: Random) -> None:
    shop = Shop(draw)
    ruleset = load(shop.files)
    if ruleset is None or not ruleset.rules:
        return
    data = random_cart(draw, shop)
    rule = draw.choice(ruleset.rules)
    try:
        cart, on = read_cart(data, ruleset, CATALOG)
        assert on is not None
        statuses = [
            entry["status"]
            for entry in evaluate(ruleset, cart, on, explain=True).considered
            if entry["code"] == rule.code
        ]
    except (TieError, CartError):
        return
    is_quiet = rule.mode == "live" and set(statuses) <= {"outside_dates", "out_of_scope"}
    if not is_quiet and rule.mode != "off":
        return
    rest = tuple(one for one in ruleset.rules if one is not rule)
    without = replace(ruleset, rules=rest, compiled={})
    if any(rule.code in one.beats for one in rest) and rule.beats:
        return  # what it reached through may now tie
    before, after = decided(ruleset, data), decided(without, data)
    if isinstance(before, dict) and isinstance(after, dict):
        before["considered"] = [entry for entry in before["considered"] if entry[0] != rule.code]
    assert before == after, (data, rule.code, shop.files)
