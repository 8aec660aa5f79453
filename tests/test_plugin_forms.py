"""A form out of any settings model, and what it changes: no secret is ever shown or taken."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

import pytest
import tomlkit
from pydantic import Field, SecretStr, field_validator

from plugins.contract import Config
from plugins.guard import Guard
from plugins.loader import BUILT_IN, settings_model
from storefront.plugins.forms import HIDDEN, Fault, draft_of, form_of, shown


class Fee(Config):
    up_to_minor: int
    fee_minor: int = 0


class Account(Config):
    name: str
    key: SecretStr


class Settings(Config):
    api_key: SecretStr = Field(description="From the console", json_schema_extra={"ja": "管理画面から"})
    old_keys: tuple[SecretStr, ...] = ()
    accounts: tuple[Account, ...] = ()
    mode: Literal["test", "live"] = "test"
    rate: Decimal | None = Field(default=None, ge=0, le=1)
    retries: int = Field(default=2, ge=0)
    regions: tuple[str, ...] = ()
    methods: tuple[Literal["card", "konbini"], ...] = ("card",)
    label: dict[str, str] = Field(default={})
    fees: tuple[Fee, ...] = ()
    loud: bool = False

    @field_validator("api_key")
    @classmethod
    def _not_wrong(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value().startswith("wrong"):
            raise ValueError(f"must begin otherwise than {value.get_secret_value()}")
        return value


HELD = """# Of the shop
[plugins.sample]
enabled = true
priority = 5   # before the others
api_key = "sk_live_never_show_me"   # from the console
mode = "live"
regions = ["JP-27", "JP-28"]  # near us

[[plugins.sample.fees]]
up_to_minor = 10_000  # ten thousand
fee_minor = 300

[plugins.other]
enabled = true
"""


def draft(sent: dict[str, str], text: str = HELD, **known: str) -> Any:
    held = tomlkit.parse(text).get("plugins", {}).get("sample", {})
    return draft_of(Settings, held, sent, folder=None, known=known.get)


def fields(text: str = HELD) -> dict[str, Any]:
    return {each.name: each for each in form_of(Settings, tomlkit.parse(text)["plugins"]["sample"])}


def test_every_setting_is_a_field_with_its_kind_and_what_stands_in_the_file() -> None:
    found = fields()
    assert {name: each.kind for name, each in found.items()} == {
        "api_key": "secret",
        "old_keys": "secret",
        "accounts": "closed",
        "mode": "choice",
        "rate": "number",
        "retries": "number",
        "regions": "lines",
        "methods": "lines",
        "label": "toml",
        "fees": "toml",
        "loud": "flag",
        "priority": "number",
    }
    assert found["api_key"].is_needed and found["api_key"].about == {
        "en": "From the console",
        "ja": "管理画面から",
    }
    assert found["mode"].value == "live" and found["mode"].choices == ("test", "live")
    assert found["regions"].value == "JP-27\nJP-28"
    assert found["fees"].value == "[{up_to_minor = 10000, fee_minor = 300}]"
    assert found["retries"].default == "2"


def test_a_secret_that_stands_in_the_file_is_never_shown_and_never_lost() -> None:
    assert fields()["api_key"].value == "" and fields()["api_key"].is_kept
    assert draft({"api_key": "", "mode": "test"}).changes == {"mode": '"test"'}
    told = shown(Settings, tomlkit.parse(HELD)["plugins"]["sample"])
    assert told["api_key"] == HIDDEN and told["mode"] == "live" and "sk_live" not in str(told)
    assert set(shown(None, {"enabled": True, "name": "x", "key": "env:A"}).values()) == {
        True,
        HIDDEN,
        "env:A",
    }
    assert shown(Settings, {"api_kye": "sk_live_typo"}) == {"api_kye": HIDDEN}  # nobody says it is none


def test_a_secret_typed_into_the_form_is_refused_without_saying_it_again() -> None:
    made = draft({"api_key": "sk_live_typed"})
    assert made.errors == {"api_key": Fault("secret")} and not made.changes
    made = draft({"api_key": "ｅｎｖ：API_KEY", "old_keys": "env:A\nenv:B"}, API_KEY="12345", A="1", B="2")
    assert made.changes == {"api_key": '"env:API_KEY"', "old_keys": '["env:A", "env:B"]'}
    named = HELD.replace("sk_live_never_show_me", "env:API_KEY")
    assert fields(named)["api_key"].value == "env:API_KEY"  # a name is no secret


def test_a_variable_that_is_not_set_is_named_and_what_the_model_says_repeats_no_secret() -> None:
    assert draft({"api_key": "env:NOWHERE"}).errors["api_key"].values == {"name": "NOWHERE"}
    fault = draft({"api_key": "env:KEY"}, KEY="wrong-sk_live_of_env").errors["api_key"]
    assert "begin" in fault.said and "sk_live_of_env" not in fault.said


def test_only_what_was_typed_is_changed() -> None:
    values = {name: each.value for name, each in fields().items()}
    assert draft(values).changes == {}
    assert draft(values | {"loud": "true", "rate": "０．１０"}).changes == {"loud": "true", "rate": "0.10"}
    assert draft(values | {"retries": "1,000"}).changes == {"retries": "1000"}
    assert draft(values | {"methods": "card\nkonbini\n"}).changes == {"methods": '["card", "konbini"]'}
    assert draft(values | {"regions": ""}).changes == {"regions": None}


@pytest.mark.parametrize(
    ("name", "written", "code"),
    [
        ("rate", "2", "less_than_equal"),
        ("rate", "nan", "finite_number"),
        ("retries", "many", "number"),
        ("retries", "true", "number"),
        ("retries", "-1", "greater_than_equal"),
        ("mode", "loud", "literal_error"),
        ("methods", "card\ncash", "literal_error"),
        ("fees", "[{fee_minor = 1}]", "missing"),
        ("fees", "[{", "toml"),
        ("fees", "1\n[x]", "toml"),
        ("label", "1", "dict_type"),
        ("label", "[" * 3_000, "toml"),
        ("priority", "0.5", "number"),
        ("mode", "x" * 100_001, "string_too_long"),
    ],
)
def test_what_does_not_fit_is_told_at_its_field(name: str, written: str, code: str) -> None:
    errors = draft({name: written}).errors
    assert {key: fault.code for key, fault in errors.items()} == {name: code}
    assert name != "fees" or code != "missing" or errors[name].at == "0.up_to_minor"


@pytest.mark.parametrize("head", ["[[plugins.sample.fees]]", "[[fees]]"])
def test_lines_as_they_stand_in_the_file_or_in_the_guide_are_taken_for_a_value(head: str) -> None:
    laid = draft({"fees": f"{head}\nup_to_minor = 5\n\n{head}\nup_to_minor = 9\nfee_minor = 2"})
    assert laid.errors == {}
    assert laid.changes == {"fees": "[{up_to_minor = 5}, {up_to_minor = 9, fee_minor = 2}]"}


def test_toml_that_the_file_could_not_be_read_with_is_refused_with_its_place() -> None:
    fault = draft({"fees": "[{up_to_minor = 5,\n  fee_minor = 2}]"}).errors["fees"]
    assert fault.code == "toml" and "at line 1, column 19" in fault.said


def test_a_value_of_several_lines_and_one_longer_than_a_page_stay_as_they_are() -> None:
    text = HELD.replace('regions = ["JP-27", "JP-28"]', 'label = {ja = "a", en = """b\nc\n"""}')
    values = {name: each.value for name, each in fields(text).items()}
    assert draft({name: value.replace("\n", "\r\n") for name, value in values.items()}, text).changes == {}
    assert draft({"priority": "１"}).changes == {"priority": "1"}


def test_a_plugin_that_the_file_does_not_know_starts_empty() -> None:
    made = draft({"api_key": "env:KEY", "mode": "live"}, "", KEY="12345")
    assert made.changes == {"api_key": '"env:KEY"', "mode": '"live"'}
    assert draft({}, "").errors["api_key"].code == "missing"


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_every_built_in_has_a_form_whose_own_values_are_accepted(name: str) -> None:
    model, why = settings_model(name)
    assert model is not None, why
    for each in form_of(model, {}):
        assert set(each.about) in ({"en", "ja"}, set()), each.name


def test_a_guard_keeps_the_last_failures_and_says_how_long_it_rests() -> None:
    ticks = iter(range(1_000))
    guard = Guard("sample", allowed=3, rest=30.0, ticks=lambda: float(next(ticks)))
    assert guard.resting == 0
    for place in range(12):
        guard.failed("quote", "raised", str(place))
    assert [failure.detail for _at, failure in guard.recent] == [str(place) for place in range(2, 12)]
    assert 0 < guard.resting <= 30
