"""The contract's records refuse what would turn into wrong money, and docs/plugins.md shows every hook."""

import ast
import inspect
import re
from dataclasses import fields, is_dataclass
from decimal import Decimal
from pathlib import Path

import pytest

import plugins
from plugins import Capability, Money, Place, contract
from plugins.building import LATER
from plugins.contract import STATUSES
from support import plugin_docs

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("amount", [1.0, True, Decimal(1), "1", None])
def test_money_is_whole_minor_units_only(amount: object) -> None:
    with pytest.raises(TypeError, match="int minor units"):
        Money(amount, "JPY")  # type: ignore[arg-type]


@pytest.mark.parametrize("currency", ["", "yen", "jpy", "JPYX"])
def test_money_names_a_currency(currency: str) -> None:
    with pytest.raises(ValueError, match="ISO 4217"):
        Money(1, currency)


def test_every_record_is_frozen() -> None:
    records = [each for each in vars(contract).values() if inspect.isclass(each) and is_dataclass(each)]
    assert len(records) > 15
    for record in records:
        assert record.__dataclass_params__.frozen, record  # type: ignore[attr-defined]


def test_statuses_and_capabilities_are_those_of_the_contract() -> None:
    assert set(STATUSES) == {
        "requires_action", "pending", "authorized", "captured", "failed", "canceled", "refunded", "disputed",
    }  # fmt: skip
    assert {each.name for each in Capability} == {
        "AUTHORIZE", "CAPTURE", "PARTIAL_CAPTURE", "VOID", "REFUND", "PARTIAL_REFUND", "ASYNC", "REDIRECT",
        "OFFLINE", "ISSUES_INVOICE",
    }  # fmt: skip


def test_the_public_api_offers_every_record_of_the_contract() -> None:
    mine = {
        name
        for name, value in vars(contract).items()
        if inspect.isclass(value) and value.__module__ == contract.__name__
    }
    assert mine - set(plugins.__all__) == set()
    assert all(hasattr(plugins, name) for name in plugins.__all__)


def test_records_carry_no_float() -> None:
    for record in vars(contract).values():
        if inspect.isclass(record) and is_dataclass(record):
            assert not [each.name for each in fields(record) if "float" in str(each.type)], record


def test_plugins_import_neither_the_shop_nor_the_rules() -> None:
    for path in (ROOT / "plugins").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.split(".")[0] not in {"storefront", "rules", "flask", "sqlalchemy"}, path


def test_a_place_knows_whether_it_is_remote() -> None:
    assert not Place("JP", "JP-27").remote


def test_the_plugin_guide_shows_every_hook_with_its_exact_signature() -> None:
    page = (ROOT / "docs" / "plugins.md").read_text("utf-8")
    for name, signature, _ in plugin_docs.hooks():
        section = re.search(rf"^### {name}\n(.*?)(?=^##|\Z)", page, re.S | re.M)
        assert section, f"docs/plugins.md has no heading for {name}"
        assert signature in section.group(1), f"docs/plugins.md shows another signature for {name}"


def test_the_reference_part_of_the_plugin_guide_is_up_to_date() -> None:
    page = (ROOT / "docs" / "plugins.md").read_text("utf-8")
    assert plugin_docs.reference() in page, "run: python tests/support/plugin_docs.py"


def test_every_hook_has_a_test_named_after_it() -> None:
    files = ("test_loader.py", "test_plugin_hooks.py")
    tests = "\n".join((ROOT / "tests" / name).read_text("utf-8") for name in files)
    hooks = [name for name, _, _ in plugin_docs.hooks()]
    assert len(hooks) == 9
    assert [name for name in hooks if f"def test_{name}_" not in tests] == []


def test_hooks_whose_source_the_shop_does_not_have_are_named_in_the_guide_as_coming() -> None:
    page = (ROOT / "docs" / "plugins.md").read_text("utf-8")
    hooks = {name for name, _, _ in plugin_docs.hooks()}
    assert not LATER.keys() & hooks
    assert [name for name in LATER if f"`{name}`" not in page] == []
