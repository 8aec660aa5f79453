"""shop.toml written from the desk: one plugin's table, checked and tried out, every other byte as it was."""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping
from contextlib import nullcontext
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from storefront import settings
from storefront.audit import AuditEntry
from storefront.database import get_session, write
from storefront.plugins import settings as plugin_settings
from storefront.plugins.forms import HIDDEN
from storefront.plugins.settings import (
    Conflict,
    Invalid,
    Saved,
    history,
    look,
    path_of,
    save,
    table_of,
    version_of,
    way_back,
)
from storefront.shop_folder.durable import PREFIX
from storefront.shop_folder.versions import BY_FILE, ShopFileVersion
from support.crowd import begin, go, together, wait_until_warm
from support.shop import SHOP_TOML

SECRET = "sk_live_never_show_me"


def shop_of(app: Flask) -> Any:
    return app.extensions["koguchi"]


def file_of(app: Flask) -> Path:
    place: Path = shop_of(app).settings.folder / "shop.toml"
    return place


def saved(
    app: Flask, changes: Mapping[str, str | None], name: str = "flat_rate", **given: Any
) -> Saved | Conflict | Invalid:
    shop = shop_of(app)
    values = {"expected": look(shop, name).etag, "actor": "owner@example.com", "reason": "", **given}
    return save(shop, name, changes, **values)


def rows() -> list[ShopFileVersion]:
    get_session().commit()
    return list(get_session().scalars(select(ShopFileVersion).where(ShopFileVersion.path.like("shop.toml%"))))


def audits(name: str = "flat_rate") -> list[AuditEntry]:
    query = select(AuditEntry).where(AuditEntry.subject == f"plugin:{name}").order_by(AuditEntry.id)
    return list(get_session().scalars(query))


def test_a_saved_setting_is_in_the_file_and_at_work_at_once_with_who_and_why(app: Flask) -> None:
    before = file_of(app).read_text()
    with app.app_context():
        plugins = shop_of(app).plugins
        bank = plugins.payments["bank_transfer"]
        done = saved(app, {"price_minor": "900"}, reason="fuel")
        assert isinstance(done, Saved) and done.etag == look(shop_of(app), "flat_rate").etag
        assert shop_of(app).plugins.shipping["flat_rate"].settings.price_minor == 900
        assert shop_of(app).plugins is not plugins
        assert shop_of(app).plugins.payments["bank_transfer"] is bank
        told = [(each.actor, each.reason) for each in history(get_session(), "flat_rate")]
        assert told == [("owner@example.com", "fuel"), (BY_FILE, "")]
        entry = audits()[0]
        assert entry.actor_id is not None and entry.action == "change"
        assert entry.after == {"price_minor": "900", "reason": "fuel"}
    assert file_of(app).read_text() == before + "price_minor = 900\n"


def test_switching_off_changes_one_line_and_a_broken_plugin_can_be_switched_off(app: Flask) -> None:
    place = file_of(app)
    place.write_text(place.read_text() + '[plugins.nowhere]\nenabled = true # x\nkey = "y"\n')
    before = place.read_text()
    with app.app_context():
        assert isinstance(saved(app, {"enabled": "false"}, "nowhere"), Saved)
        assert place.read_text() == before.replace("enabled = true # x", "enabled = false # x")
        assert all("y" not in table_of(each).values() for each in history(get_session(), "nowhere"))
        assert isinstance(saved(app, {"enabled": "true"}, "nowhere"), Invalid)


def test_what_the_plugin_or_the_shop_would_not_start_with_is_refused_and_nothing_is_written(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = file_of(app).read_bytes()
    with app.app_context():
        for name, changes, field, code in (
            ("flat_rate", {"price_minor": "-1"}, "price_minor", "greater_than_equal"),
            ("flat_rate", {"prize_minor": "1"}, "prize_minor", "extra_forbidden"),
            ("stripe_checkout", {"enabled": "true"}, "api_key", "missing"),
            ("stripe_checkout", {"api_key": f'"{SECRET}"'}, "api_key", "secret"),
            ("stripe_checkout", {"webhook_secrets": f'["env:A", "{SECRET}"]'}, "webhook_secrets", "secret"),
            ("stripe_checkout", {"api_key": '"env:NOT_SET_HERE"'}, "api_key", "unset"),
            ("table_rate", {"tariffs": '["gone.toml"]'}, "tariffs", "no_file"),
            ("nobody", {"enabled": "true"}, "", "load"),
        ):
            found = saved(app, changes, name)
            assert isinstance(found, Invalid), (name, changes)
            fault = found.faults.get(field)
            assert fault is not None and (fault.code == code or field == ""), (name, found.faults)
            assert SECRET not in str(found)
        assert file_of(app).read_bytes() == before and rows()[0].actor == BY_FILE
        assert not [each for each in rows() if each.actor != BY_FILE]


def test_settings_changed_meanwhile_are_a_conflict_that_shows_both_without_their_secrets(app: Flask) -> None:
    place = file_of(app)
    place.write_text(
        place.read_text() + f'price_minor = 700\n[plugins.stripe_checkout]\napi_key = "{SECRET}"\n'
    )
    with app.app_context():
        etag = look(shop_of(app), "flat_rate").etag
        assert isinstance(saved(app, {"price_minor": "800"}, expected=etag), Saved)
        found = saved(app, {"price_minor": "900"}, expected=etag)
        assert isinstance(found, Conflict)
        assert (found.mine["price_minor"], found.theirs["price_minor"]) == (900, 800)
        assert isinstance(saved(app, {"price_minor": "900"}, expected=found.etag), Saved)
        found = saved(app, {"methods": '["card"]'}, "stripe_checkout", expected="")
        assert isinstance(found, Conflict) and SECRET not in str(found)
        # what is changed elsewhere in the file is no conflict and stays
        etag = look(shop_of(app), "flat_rate").etag
        place.write_text(place.read_text() + "# added by hand\n[slips]\ngoods = 'screws'\n")
        assert isinstance(saved(app, {"price_minor": "950"}, expected=etag), Saved)
        assert "# added by hand\n[slips]\ngoods = 'screws'\n" in place.read_text()


def test_marks_line_ends_comments_and_unknown_keys_stay_as_they_are(app: Flask) -> None:
    text = SHOP_TOML + "# free since May\nprice_minor = 700 # yen\n\n# The end\n[theme]\n"
    for mark, newline in product((b"", b"\xef\xbb\xbf"), ("\n", "\r\n")):
        content = mark + text.replace("\n", newline).encode()
        file_of(app).write_bytes(content)
        with app.app_context():
            assert isinstance(saved(app, {"price_minor": "800", "label": '{ja = "送料"}'}), Saved)
        expected = content.replace(b"= 700 # yen", b"= 800 # yen")
        line = f'label = {{ja = "送料"}}{newline}'.encode()
        place = expected.index(b"# yen") + len(b"# yen") + len(newline)
        assert file_of(app).read_bytes() == expected[:place] + line + expected[place:]


def test_a_secret_written_out_in_the_file_stays_and_is_kept_nowhere_else(
    app: Flask, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEW_HOOK", "whsec_from_the_environment")
    place = file_of(app)
    place.write_text(
        place.read_text() + f'[plugins.stripe_checkout]\nenabled = false\napi_key = "{SECRET}" # {SECRET}\n'
    )
    with app.app_context():
        changes = {"webhook_secrets": '["env:NEW_HOOK"]', "konbini_days": "5"}
        assert isinstance(saved(app, changes, "stripe_checkout", reason="hooks"), Saved)
        assert f'api_key = "{SECRET}" # {SECRET}' in place.read_text()
        kept = json.dumps([[each.text, each.reason] for each in rows()])
        told = json.dumps([[each.before, each.after] for each in audits("stripe_checkout")])
        assert "env:NEW_HOOK" in kept and HIDDEN in kept and "env:NEW_HOOK" in told
        for secret in (SECRET, "whsec_from"):
            assert secret not in kept + told + caplog.text


def test_an_earlier_version_comes_back_without_touching_the_switch_or_a_secret(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = file_of(app)
    monkeypatch.setenv("HOOK", "whsec_1234567890")
    lines = f'api_key = "{SECRET}"\nwebhook_secrets = ["env:HOOK"]\nkonbini_days = 4\n'
    place.write_text(place.read_text() + f"[plugins.stripe_checkout]\n{lines}")
    with app.app_context():
        assert isinstance(saved(app, {"konbini_days": "6", "account": '"acct_1"'}, "stripe_checkout"), Saved)
        assert isinstance(saved(app, {"enabled": "false"}, "stripe_checkout"), Saved)
        first = history(get_session(), "stripe_checkout")[-1]
        kept = version_of(get_session(), "stripe_checkout", first.id)
        assert kept is not None and version_of(get_session(), "flat_rate", first.id) is None
        changes = way_back("stripe_checkout", look(shop_of(app), "stripe_checkout").table, table_of(kept))
        assert changes == {"konbini_days": "4", "account": None}
        assert isinstance(saved(app, changes, "stripe_checkout", restores=first.id), Saved)
    assert lines + "enabled = false\n" in place.read_text()


def test_a_file_that_is_no_toml_is_not_written_over_and_a_link_is_not_replaced(app: Flask) -> None:
    place = file_of(app)
    good = place.read_bytes()
    with app.app_context():
        etag = look(shop_of(app), "flat_rate").etag
        for broken in (b"[shop\n", b"\xff\xfe", b"[shop]\nname = 1\nname = 2\n"):
            place.write_bytes(broken)
            assert look(shop_of(app), "flat_rate").problem
            found = saved(app, {"price_minor": "1"}, expected=etag)
            assert isinstance(found, Invalid) and found.faults[""].code == "file"
            assert place.read_bytes() == broken
        place.unlink()
        target = place.with_name("elsewhere.toml")
        target.write_bytes(good)
        place.symlink_to(target)
        found = saved(app, {"price_minor": "1"})
        assert isinstance(found, Invalid) and found.is_read_only and target.read_bytes() == good


def test_plugins_given_by_the_application_are_not_written(app: Flask) -> None:
    before = file_of(app).read_bytes()
    shop_of(app).has_own_plugins = True
    with app.app_context():
        found = saved(app, {"price_minor": "1"})
    assert isinstance(found, Invalid) and found.faults[""].code == "given"
    assert file_of(app).read_bytes() == before


def test_faults_that_stood_elsewhere_before_are_told_and_do_not_stop_a_change(app: Flask) -> None:
    place = file_of(app)
    place.write_text(place.read_text() + f'[mail]\npasswrod = "{SECRET}"\n')
    with app.app_context():
        done = saved(app, {"price_minor": "900"})
        assert isinstance(done, Saved)
        assert any("passwrod" in fault for fault in done.others) and SECRET not in str(done)


def test_saving_inside_a_transaction_is_refused_because_it_would_wait_for_itself(app: Flask) -> None:
    with app.app_context(), write(), pytest.raises(RuntimeError, match="lock of the files"):
        save(shop_of(app), "flat_rate", {}, expected="", actor="owner@example.com", reason="")


# ---- real processes


def task(app: Flask, price: int, expected: str) -> dict[str, Any]:
    changes = {"price_minor": str(price)}
    return {"do": "save_plugin", "plugin": "flat_rate", "changes": changes, "expected": expected}


def etag(app: Flask) -> str:
    with app.app_context():
        return look(shop_of(app), "flat_rate").etag


@pytest.mark.parametrize(
    ("where", "price"),
    [
        ("storefront.shop_folder.durable:move_into_place", None),  # the old file stands
        ("storefront.plugins.settings:note_written", 900),  # the new one does, and is known all the same
    ],
)
def test_killed_while_it_saves_there_is_a_whole_file_that_the_history_knows(
    app: Flask, where: str, price: int | None
) -> None:
    before = file_of(app).read_text()
    one = task(app, 900, etag(app))
    settings = shop_of(app).settings
    shop_of(app).close()
    process = begin(settings.folder, settings.database_url, [one], die=where)
    wait_until_warm(process)
    go(process)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert file_of(app).read_text() == before + ("price_minor = 900\n" if price else "")
    with app.app_context():
        assert look(shop_of(app), "flat_rate").table.get("price_minor") == price
        actors = [each.actor for each in history(get_session(), "flat_rate")]
        assert actors == (["owner@example.com", BY_FILE] if price else [BY_FILE])
        assert len(audits()) == len(actors) - 1
        assert not [each for each in rows() if not each.is_written]
        assert isinstance(saved(app, {"price_minor": "950"}), Saved)
    assert not list(file_of(app).parent.glob(f"{PREFIX}*"))


def test_of_two_owners_who_save_at_once_one_wins_and_the_other_is_told(app: Flask, database_url: str) -> None:
    known, settings = etag(app), shop_of(app).settings
    shop_of(app).close()
    tasks = [task(app, price, known) for price in (100, 200, 300, 400)]
    answers = together(settings.folder, settings.database_url, tasks, processes=2, threads=2)
    assert sorted(answer["outcome"] for answer in answers) == ["Conflict"] * 3 + ["Saved"]
    with app.app_context():
        assert look(shop_of(app), "flat_rate").table["price_minor"] in (100, 200, 300, 400)
        assert len(history(get_session(), "flat_rate")) == 2
        assert path_of("flat_rate") == "shop.toml:plugins.flat_rate"


def test_control_without_the_lock_both_owners_believe_that_they_won(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults_of, outcomes = settings.faults_of, []

    def somebody_else_saves_in_this_moment(*args: Any) -> Any:
        """Between the look at the file and the writing."""
        monkeypatch.setattr(plugin_settings, "faults_of", faults_of)
        outcomes.append(saved(app, {"price_minor": "700"}))
        return faults_of(*args)

    monkeypatch.setattr(plugin_settings, "holding", lambda _shop: nullcontext())
    monkeypatch.setattr(plugin_settings, "faults_of", somebody_else_saves_in_this_moment)
    with app.app_context():
        outcomes.append(saved(app, {"price_minor": "900"}))
    assert [type(outcome) for outcome in outcomes] == [Saved, Saved]
