"""Plugins at the desk: a form out of any settings model, no secret ever shown or taken, and a quote tried out."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
import tomlkit
from flask import Flask
from flask.testing import FlaskClient
from pydantic import Field, SecretStr

from plugins.contract import Config
from plugins.guard import Failure, Guard
from plugins.loader import BUILT_IN, settings_model
from storefront.plugin_forms import draft_of, form_of
from support.shop import sign_in


class Fee(Config):
    up_to_minor: int
    fee_minor: int = 0


class Settings(Config):
    api_key: SecretStr = Field(description="From the provider's console")
    old_keys: tuple[SecretStr, ...] = ()
    mode: Literal["test", "live"] = "test"
    rate: Decimal | None = Field(default=None, ge=0, le=1)
    retries: int = Field(default=2, ge=0)
    regions: tuple[str, ...] = ()
    label: dict[str, str] = Field(default={})
    fees: tuple[Fee, ...] = ()
    loud: bool = False


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


def draft(sent: dict[str, str], text: str = HELD, **how: Any) -> Any:
    how = {"enabled": True, "folder": None} | how
    return draft_of("sample", Settings, tomlkit.parse(text), sent, **how)


def shown(text: str = HELD) -> dict[str, Any]:
    return {each.name: each for each in form_of(Settings, tomlkit.parse(text)["plugins"]["sample"])}  # type: ignore[index, arg-type]


def test_every_setting_is_a_field_with_its_kind_and_what_stands_in_the_file() -> None:
    found = shown()
    assert {name: each.kind for name, each in found.items()} == {
        "api_key": "secret",
        "old_keys": "secret",
        "mode": "choice",
        "rate": "number",
        "retries": "number",
        "regions": "lines",
        "label": "toml",
        "fees": "toml",
        "loud": "flag",
    }
    assert found["api_key"].is_needed and found["api_key"].about == "From the provider's console"
    assert found["mode"].value == "live" and found["mode"].choices == ("test", "live")
    assert found["regions"].value == "JP-27\nJP-28"
    assert found["fees"].value == "[{up_to_minor = 10000, fee_minor = 300}]"
    assert found["retries"].default == "2"


def test_a_secret_that_stands_in_the_file_is_never_shown_and_never_lost() -> None:
    assert shown()["api_key"].value == "" and shown()["api_key"].is_kept
    made = draft({"api_key": "", "mode": "test"})
    assert made.errors == {}
    assert "sk_live" not in made.toml
    assert "# api_key = (keep your line)" in made.toml
    assert 'mode = "test"' in made.toml


def test_a_secret_typed_into_the_form_is_refused_without_saying_it_again() -> None:
    made = draft({"api_key": "sk_live_typed"})
    assert made.errors == {"api_key": "secret"} and made.toml == ""
    made = draft({"api_key": "env:API_KEY", "old_keys": "env:A\nenv:B"})
    assert 'api_key = "env:API_KEY"' in made.toml and 'old_keys = ["env:A", "env:B"]' in made.toml
    named = HELD.replace("sk_live_never_show_me", "env:API_KEY")
    assert shown(named)["api_key"].value == "env:API_KEY"  # a name is no secret


def test_what_was_not_changed_stays_as_it_is_written_comments_and_all() -> None:
    values = {name: each.value for name, each in shown().items()}
    made = draft(values | {"loud": "true", "rate": "0.10"})
    assert made.errors == {}
    assert "priority = 5   # before the others" in made.toml
    assert '["JP-27", "JP-28"]  # near us' in made.toml
    assert "up_to_minor = 10_000  # ten thousand" in made.toml
    assert "plugins.other" not in made.toml
    read = tomlkit.parse(made.toml)["plugins"]["sample"]  # type: ignore[index]
    assert read["loud"] is True and str(read["rate"]) == "0.1"  # type: ignore[index]


def test_switching_off_changes_one_line() -> None:
    assert draft({}, enabled=False).toml.replace("enabled = false", "enabled = true") == draft({}).toml


@pytest.mark.parametrize(
    ("name", "written", "word"),
    [
        ("rate", "2", "less than or equal"),
        ("retries", "many", "toml"),
        ("retries", "-1", "greater"),
        ("mode", "loud", "test"),
        ("fees", "[{fee_minor = 1}]", "required"),
        ("fees", "[{", "toml"),
        ("label", "1", "dict"),
    ],
)
def test_what_does_not_fit_is_told_at_its_field(name: str, written: str, word: str) -> None:
    made = draft({name: written})
    assert set(made.errors) == {name} and word in made.errors[name].lower() and made.toml == ""


def test_a_plugin_that_the_file_does_not_know_starts_empty() -> None:
    made = draft({"api_key": "env:KEY", "mode": "test"}, "", enabled=True)
    assert made.toml == '[plugins.sample]\nenabled = true\napi_key = "env:KEY"\nmode = "test"\n'
    assert draft({}, "").errors["api_key"]  # it is needed


def test_a_comment_of_the_next_table_is_not_taken_along() -> None:
    text = '[plugins.sample]\nenabled = true\napi_key = "env:K"\n\n# The next one\n[plugins.other]\nenabled = true\n'
    assert "next one" not in draft({}, text).toml


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_every_built_in_has_a_form_whose_own_values_are_accepted(name: str) -> None:
    model, why = settings_model(name)
    assert model is not None, why
    assert all(each.kind for each in form_of(model, {}))


def test_a_guard_keeps_the_last_failures_and_says_how_long_it_rests() -> None:
    ticks = iter(range(1_000))
    guard = Guard("sample", allowed=3, rest=30.0, ticks=lambda: float(next(ticks)))
    assert guard.resting == 0
    for place in range(12):
        guard.failed("quote", "raised", str(place))
    assert [failure.detail for _at, failure in guard.recent] == [str(place) for place in range(2, 12)]
    assert 0 < guard.resting <= 30


def write(app: Flask, text: str) -> None:
    path = Path(app.extensions["koguchi"].settings.folder) / "shop.toml"
    path.write_text(path.read_text() + text)


def test_the_owner_gets_the_lines_for_shop_toml_and_nothing_is_written(
    app: Flask, client: FlaskClient
) -> None:
    path = Path(app.extensions["koguchi"].settings.folder) / "shop.toml"
    before = path.read_bytes()
    sign_in(client, "owner")
    page = client.get("/admin/plugins/cash_on_delivery").get_data(as_text=True)
    assert "countries" in page and "up_to_minor = 10000" in page
    sent = {"enabled": "true", "countries": "JP", "tax_rate": "0.08"}
    answer = client.post("/admin/plugins/cash_on_delivery", data=sent)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200 and "[plugins.cash_on_delivery]" in page and "tax_rate = 0.08" in page
    assert 'value="0.08"' in page  # and the form keeps what was typed
    assert path.read_bytes() == before
    answer = client.post("/admin/plugins/cash_on_delivery", data=sent | {"tax_rate": "8"})
    assert answer.status_code == 422 and 'aria-invalid="true"' in answer.get_data(as_text=True)


def test_only_the_owner_reads_and_checks_settings(app: Flask, client: FlaskClient) -> None:
    for who, status in (("clerk", 403), ("hayashi", 403), ("owner", 200)):
        sign_in(client, who)
        assert client.get("/admin/plugins/flat_rate").status_code == status
        assert client.post("/admin/plugins/flat_rate", data={"price_minor": "700"}).status_code == status
    assert client.get("/admin/plugins/nobody").status_code == 404


def test_a_secret_in_shop_toml_is_on_no_page_of_the_desk(app: Flask, client: FlaskClient) -> None:
    write(app, '\n[plugins.stripe_checkout]\nenabled = false\napi_key = "sk_live_never_show_me"\n')
    sign_in(client, "owner")
    for path in ("/admin/plugins", "/admin/plugins/stripe_checkout", "/admin/plugins/flat_rate"):
        assert "sk_live_never" not in client.get(path).get_data(as_text=True)
    sent = {"enabled": "true", "api_key": "sk_live_typed_by_hand"}
    assert "sk_live" not in client.post("/admin/plugins/stripe_checkout", data=sent).get_data(as_text=True)


def test_a_quote_tried_out_names_each_plugin_with_its_price_or_its_failure(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(client, "clerk")
    asked = "/admin/plugins?region=JP-27&weight_g=2000&postcode=577-0000"
    page = client.get(asked).get_data(as_text=True)
    assert "flat_rate" in page and " ms</td>" in page
    failure = Failure("flat_rate", "quote", "timeout", "no answer within 0.3 s")
    monkeypatch.setattr(app.extensions["koguchi"].plugins, "quote", lambda *_: failure)
    page = client.get(asked).get_data(as_text=True)
    assert "時間内に答えませんでした" in page and "no answer within 0.3 s" in page


@pytest.mark.parametrize(
    "query",
    [
        "weight_g=0&region=JP-27",
        "weight_g=x&region=JP-27",
        "weight_g=5",
        "weight_g=5&region=JP-99",
        "weight_g=9999999&region=JP-27",
        "weight_g=5&region=JP-27&sum_cm=99999",
    ],
)
def test_an_odd_parcel_is_refused_with_a_sentence(app: Flask, client: FlaskClient, query: str) -> None:
    sign_in(client, "owner")
    answer = client.get(f"/admin/plugins?{query}")
    assert answer.status_code == 200 and 'class="note block"' in answer.get_data(as_text=True)
