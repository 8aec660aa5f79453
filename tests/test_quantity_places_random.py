"""Random quantity rules: what the checks call unreachable is refused everywhere, and nothing else that is."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from rules import load_ruleset
from rules.evaluate import to_subtotal
from rules.evaluation import Evaluation
from rules.facts import VISITOR, Cart, Line
from rules.in_force import rules_in_force
from rules.quantities import decided_fields
from support.rulesets import CATALOG, METHODS, ON, folder

ALLOWED = (4, 6, 10, 15, 20)
PRODUCTS = ('"product.category" = "screws"', '"product.sku" = "M4-10"', '"product.batch" = "m4"', "")
CUSTOMERS = ('"customer.code" = "ACME"', '"customer.group" = "trial"', '"customer.region" = "JP-27"', "", "")
FIELDS = {
    "minimum": (3, 5, 12, 18),
    "maximum": (8, 12, 16, 30),
    "multiple": (2, 5, 7),
}


def shop(random: Random, path: Path) -> Path:
    files = {}
    for number in range(random.randint(2, 5)):
        when = [random.choice(PRODUCTS), random.choice(CUSTOMERS)]
        names = random.sample(list(FIELDS), random.randint(1, 2))
        says = {name: random.choice(FIELDS[name]) for name in names}
        if says.get("maximum", 99) < says.get("minimum", 0):
            del says["maximum"]
        lines = [f"{name} = {number}" for name, number in says.items()]
        if random.random() < 0.5:
            lines = [f"allowed = {sorted(random.sample(ALLOWED, 3))}"]
        files[f"QT{number}"] = (
            "[when]\n" + "\n".join(filter(None, when)) + "\n[quantity]\n" + "\n".join(lines)
        )
        if not any(when):
            files[f"QT{number}"] = "[quantity]\n" + "\n".join(lines)
    return folder(path, files)


@pytest.mark.parametrize("seed", range(30))
def test_what_is_called_unreachable_is_refused_everywhere_and_all_of_it_is_called_so(
    seed: int, tmp_path: Path
) -> None:
    loaded = load_ruleset(shop(Random(seed), tmp_path), CATALOG, METHODS, ON)
    checks = {one.check for one in loaded.errors}
    if loaded.parsed is None or "tie" in checks:
        return  # an effect that is wrong alone, or rules that nobody can tell apart
    told = {
        (one.rule, int(one.message.split()[3]))
        for one in loaded.findings
        if one.check == "unreachable-quantity"
    }
    in_force = rules_in_force(loaded.parsed, ON)
    possible: set[tuple[str, int]] = set()
    met: set[tuple[str, int]] = set()
    has_nothing = False
    for product in CATALOG.products.values():  # type: ignore[union-attr]
        for customer in (*CATALOG.customers.values(), VISITOR):  # type: ignore[union-attr]
            passed = set()
            decides: dict[str, str] = {}
            for quantity in range(1, 50):
                work = Evaluation(in_force, Cart((Line("1", product, quantity),), customer), ON)
                to_subtotal(work)
                decides = {
                    one.field: one.compiled.code for one in decided_fields(work, work.lines[0], work.early[0])
                }
                if not any(one.outcome == "block" for one in work.findings):
                    passed.add(quantity)
            has_nothing |= not passed
            if (code := decides.get("allowed")) is not None:
                met |= {(code, quantity) for quantity in ALLOWED}
                possible |= {(code, quantity) for quantity in passed}
    entries = {
        (rule.code, quantity) for rule in loaded.parsed.rules for quantity in rule.raw.get("allowed", ())
    }
    unreachable = (entries & met) - possible
    assert told == unreachable or (has_nothing and told <= unreachable)
    assert ("no-quantity" in checks) == has_nothing
