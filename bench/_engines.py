"""The same rules by other means: a loop written by hand for just these conditions, and zen-engine's decision table.

Both name, for each line, the codes of the rules that match it.
"""

import json
from typing import Any

from _rule_shop import Plain

from rules.facts import Cart, Line

_NARROWEST = ("sku", "customer", "batch", "category", "brand", "tag", "group", "channel")


def plain_line(cart: Cart, line: Line) -> dict[str, Any]:
    product = line.product
    parts = (product.category or "").split("/")
    return {
        "customer": cart.customer.code, "group": cart.customer.group, "sku": product.sku, "batch": product.batch,
        "top": parts[0], "category": product.category, "brand": product.brand, "tag": (product.tags or ("",))[0],
        "channel": cart.channel, "quantity": line.quantity,
    }  # fmt: skip


class ByHand:
    """Dictionaries by the narrowest condition, then comparisons. Knows these kinds of rules and no others."""

    def __init__(self, rules: list[Plain]) -> None:
        self.everywhere: list[Any] = []
        self.filed: dict[tuple[str, str], list[Any]] = {}
        for rule in rules:
            equal = {
                ("top" if key == "category" and "/" not in value else key): value
                for key, value in rule.equal.items()
            }
            low, high = rule.low or 0, rule.high or 10**12
            key = next((key for key in (*_NARROWEST, "top") if key in equal), None)
            others = tuple((other, value) for other, value in equal.items() if other != key)
            entry = (rule.code, others, low, high)
            if key is None:
                self.everywhere.append(entry)
            else:
                self.filed.setdefault((key, equal[key]), []).append(entry)

    def match(self, cart: Cart) -> list[list[str]]:
        found = []
        filed = self.filed
        for line in cart.lines:
            facts = plain_line(cart, line)
            quantity = facts["quantity"]
            codes = []
            shelves = [self.everywhere]
            for key in (*_NARROWEST, "top"):
                shelf = filed.get((key, facts[key]))
                if shelf:
                    shelves.append(shelf)
            for shelf in shelves:
                for code, others, low, high in shelf:
                    if low <= quantity < high:
                        for other, value in others:
                            if facts[other] != value:
                                break
                        else:
                            codes.append(code)
            codes.sort()
            found.append(codes)
        return found


class Zen:
    """zen-engine (Rust): one decision table of hit policy `collect`, a row a rule, asked once a cart."""

    def __init__(self, rules: list[Plain]) -> None:
        import zen

        fields = [*_NARROWEST, "top", "quantity"]
        table = [self._row(rule) for rule in rules]
        content = {
            "hitPolicy": "collect",
            "executionMode": "loop",
            "inputField": "lines",
            "outputPath": "lines",
            "passThrough": False,
            "inputs": [{"id": name, "name": name, "field": name} for name in fields],
            "outputs": [{"id": "code", "name": "code", "field": "code"}],
            "rules": [{"_id": str(n), **row} for n, row in enumerate(table)],
        }
        graph = {
            "nodes": [
                {"id": "in", "name": "in", "type": "inputNode"},
                {"id": "table", "name": "table", "type": "decisionTableNode", "content": content},
                {"id": "out", "name": "out", "type": "outputNode"},
            ],
            "edges": [
                {"id": "1", "type": "edge", "sourceId": "in", "targetId": "table"},
                {"id": "2", "type": "edge", "sourceId": "table", "targetId": "out"},
            ],
        }
        self.decision = zen.ZenEngine().create_decision(json.dumps(graph))

    @staticmethod
    def _row(rule: Plain) -> dict[str, str]:
        row = dict.fromkeys((*_NARROWEST, "top", "quantity"), "")
        for key, value in rule.equal.items():
            row["top" if key == "category" and "/" not in value else key] = json.dumps(value)
        bounds = [f">= {rule.low}"] * (rule.low is not None) + [f"< {rule.high}"] * (rule.high is not None)
        return {**row, "quantity": " and ".join(bounds), "code": json.dumps(rule.code)}

    def match(self, cart: Cart) -> list[list[str]]:
        answer = self.decision.evaluate({"lines": [plain_line(cart, line) for line in cart.lines]})
        return [sorted(row["code"] for row in rows) for rows in answer["result"]["lines"]]
