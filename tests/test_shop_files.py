"""Files of the shop folder written from the desk: checked first, never over another's change, each version kept."""

from __future__ import annotations

import json
import os
import signal
import stat
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from storefront.audit import AuditEntry
from storefront.database import get_session, write
from storefront.shop_folder import files as shop_files
from storefront.shop_folder.durable import PREFIX
from storefront.shop_folder.files import (
    UNREADABLE,
    Conflict,
    Invalid,
    Saved,
    ShopPathError,
    check_draft,
    etag_of,
    is_allowed,
    is_writable,
    read,
    remember,
    save,
)
from storefront.shop_folder.versions import BY_FILE, newest_of_all, versions
from support.crowd import begin, go, together, wait_until_warm
from support.shop import RULES

PATH = "rules/QT12_turned.toml"
OLD = RULES["QT12_turned.toml"]
NEW = OLD.replace("minimum = 50", "minimum = 60")


def shop_of(app: Flask) -> Any:
    return app.extensions["koguchi"]


def file_of(app: Flask, path: str = PATH) -> Path:
    place: Path = shop_of(app).settings.folder / path
    return place


def saved(app: Flask, text: str | None, path: str = PATH, **given: str) -> Saved | Conflict | Invalid:
    shop = shop_of(app)
    values = {"expected": read(shop, path).etag, "actor": "owner@example.com", "reason": "", **given}
    return save(shop, path, text, **values)  # type: ignore[arg-type]


def history(path: str = PATH) -> list[tuple[str, str, str]]:
    """Who, why and what of each version, newest first."""
    get_session().commit()
    return [(one.actor, one.reason, one.text or "") for one in versions(get_session(), path)]


def minimum(app: Flask) -> Any:
    """What the rule in force asks for."""
    with app.test_request_context():
        return shop_of(app).rulebook.current().rule("QT12").effect.minimum


def test_a_saved_file_is_in_force_with_who_when_and_why_kept(app: Flask) -> None:
    with app.app_context():
        assert isinstance(done := saved(app, NEW, reason="the lathe takes longer"), Saved)
        assert file_of(app).read_text() == NEW
        assert done.etag == read(shop_of(app), PATH).etag
        assert history() == [
            ("owner@example.com", "the lathe takes longer", NEW),
            (BY_FILE, "", OLD),
        ]
        entry = get_session().scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry is not None and entry.actor_id is not None
        assert (entry.action, entry.subject) == ("change", f"file:{PATH}")
        assert entry.after is not None and entry.after["reason"] == "the lathe takes longer"
    assert minimum(app) == 60


def test_a_new_file_and_a_removed_one_are_versions_too(app: Flask) -> None:
    path = "rules/QT13_turned.toml"
    text = OLD.replace("QT12", "QT13").replace('"turned"', '"fasteners/nuts"')
    with app.app_context():
        assert not read(shop_of(app), path).exists
        assert isinstance(saved(app, text, path, reason="new"), Saved)
        assert isinstance(saved(app, None, path, reason="not needed"), Saved)
        assert not file_of(app, path).exists()
        assert [(actor, reason, bool(content)) for actor, reason, content in history(path)] == [
            ("owner@example.com", "not needed", False), ("owner@example.com", "new", True),
        ]  # fmt: skip
        last = newest_of_all(get_session(), [path, PATH])
        assert list(last) == [path] and last[path].sha == ""
        actions = get_session().scalars(select(AuditEntry.action).where(AuditEntry.subject == f"file:{path}"))
        assert list(actions) == ["add", "remove"]


def test_a_file_that_changed_meanwhile_is_a_conflict_and_neither_text_is_lost(app: Flask) -> None:
    with app.app_context():
        before = read(shop_of(app), PATH)
        theirs = OLD.replace("minimum = 50", "minimum = 70")
        file_of(app).write_text(theirs)
        found = saved(app, NEW, expected=before.etag)
        assert isinstance(found, Conflict)
        assert (found.mine, found.theirs) == (NEW, theirs)
        assert file_of(app).read_text() == theirs
        assert history()[0] == (BY_FILE, "", theirs)
        assert isinstance(saved(app, NEW, expected=found.etag), Saved)
        assert [text for _actor, _reason, text in history()] == [NEW, theirs]


def test_a_removed_or_newly_made_file_is_a_conflict_as_well(app: Flask) -> None:
    with app.app_context():
        etag = read(shop_of(app), PATH).etag
        file_of(app).unlink()
        gone = saved(app, NEW, expected=etag)
        assert isinstance(gone, Conflict) and gone.theirs is None and gone.etag == ""
        file_of(app).write_text(OLD)
        made = saved(app, NEW, expected="")
        assert isinstance(made, Conflict) and made.theirs == OLD


def test_errors_that_the_change_brings_are_refused_and_nothing_is_written(app: Flask) -> None:
    with app.app_context():
        found = saved(app, OLD.replace("minimum = 50", "minimun = 50"))
        assert isinstance(found, Invalid) and not found.is_read_only
        line = OLD.splitlines().index("minimum = 50") + 1
        assert [(one.file, one.line, one.check) for one in found.findings] == [(PATH, line, "unknown-key")]
        assert file_of(app).read_text() == OLD
        assert len(history()) == 1


def test_an_error_in_another_file_that_the_change_causes_is_its_own(app: Flask) -> None:
    case = '[[case]]\nname = "9 go"\ncart = [{sku = "P-12", quantity = 50}]\nexpect = {outcome = "ok"}\n'
    with app.app_context():
        assert isinstance(saved(app, RULES["QT10_screws.toml"] + case, "rules/QT10_screws.toml"), Saved)
        found = saved(app, NEW)
        assert isinstance(found, Invalid)
        assert [(one.file, one.check) for one in found.findings] == [("rules/QT10_screws.toml", "case-fails")]


def test_errors_that_stood_elsewhere_before_do_not_stop_it_and_are_told(app: Flask) -> None:
    with app.app_context():
        file_of(app, "rules/SC90_other.toml").write_text("nonsense")
        done = saved(app, NEW)
        assert isinstance(done, Saved)
        assert [one.file for one in done.others] == ["rules/SC90_other.toml"]
        assert file_of(app).read_text() == NEW


def test_a_draft_is_checked_with_its_cases_and_nothing_is_written(app: Flask) -> None:
    case = '[[case]]\nname = "50 go"\ncart = [{sku = "P-12", quantity = 50}]\nexpect = {outcome = "ok"}\n'
    with app.app_context():
        good = check_draft(shop_of(app), {PATH: OLD + case})
        assert [(one.name, one.passed) for one in good.cases] == [("50 go", True)]
        bad = check_draft(shop_of(app), {PATH: NEW + case})
        assert [one.check for one in bad.errors] == ["case-fails"]
        assert file_of(app).read_text() == OLD


def test_closing_days_are_checked_line_by_line_before_they_are_written(app: Flask) -> None:
    header = "date,until,open,name_ja,name_en\n"
    with app.app_context():
        bad = saved(app, f"{header}2026-13-01,,,,\n", "closures.csv")
        assert isinstance(bad, Invalid) and [one.line for one in bad.findings] == [2]
        assert not file_of(app, "closures.csv").exists()
        good = saved(app, f"{header}2026-12-29,2027-01-04,,年末年始,New year\n", "closures.csv")
        assert isinstance(good, Saved), good


def test_saving_what_stands_there_makes_no_version(app: Flask) -> None:
    with app.app_context():
        assert isinstance(saved(app, NEW), Saved)
        assert isinstance(saved(app, NEW), Saved)
        assert len(history()) == 2


def test_a_change_in_the_folder_is_remembered_once_and_can_be_brought_back(app: Flask) -> None:
    with app.app_context():
        remember(shop_of(app), PATH)
        file_of(app).write_text(NEW)
        for _ in range(3):
            remember(shop_of(app), PATH)
        assert [(actor, text) for actor, _reason, text in history()] == [(BY_FILE, NEW), (BY_FILE, OLD)]
        first = versions(get_session(), PATH)[-1]
        assert first.text is not None
        done = save(
            shop_of(app), PATH, first.text, expected=read(shop_of(app), PATH).etag,
            actor="owner@example.com", reason="back", restores=first.id,
        )  # fmt: skip
        assert isinstance(done, Saved)
        assert versions(get_session(), PATH)[0].restores_id == first.id
        assert file_of(app).read_text() == OLD


def test_a_touched_file_is_no_new_version(app: Flask) -> None:
    with app.app_context():
        remember(shop_of(app), PATH)
        os.utime(file_of(app), ns=(5, 5_000_000_000))
        remember(shop_of(app), PATH)
        assert len(history()) == 1
        assert versions(get_session(), PATH)[0].stamp == 5_000_000_000


def test_mode_and_line_ends_of_a_file_are_kept(app: Flask) -> None:
    with app.app_context():
        file_of(app).write_bytes(OLD.replace("\n", "\r\n").encode())
        file_of(app).chmod(0o640)
        assert read(shop_of(app), PATH).text == OLD
        assert isinstance(saved(app, NEW), Saved)
        assert file_of(app).read_bytes() == NEW.replace("\n", "\r\n").encode()
        assert stat.S_IMODE(file_of(app).stat().st_mode) == 0o640


PATHS = (
    "../shop.toml", "rules/../shop.toml", "/etc/passwd", "rules/.hidden.toml", "rules/_off.toml", "rules/a/b.toml",
    "rules/QT10.toml/../x.toml", "rules\\QT10.toml", "rules/QT10.txt", "rules/QT10.csv", "prices/a.toml", "shop.toml",
    "people.toml", "rules/", "", "rules/QT10.toml\n", "rules/QT10\0.toml", "templates/layout.html", "RULES/QT10.toml",
    "rules/" + "あ" * 90 + ".toml", "rules/" + "a" * 300 + ".toml", "products.csv", "./rules/QT10.toml",
)  # fmt: skip


def test_a_path_that_is_not_ours_is_neither_read_nor_written(app: Flask) -> None:
    with app.app_context():
        for path in PATHS:
            assert not is_allowed(path), path
            with pytest.raises(ShopPathError):
                read(shop_of(app), path)
            with pytest.raises(ShopPathError):
                save(shop_of(app), path, "x", expected="", actor="owner@example.com", reason="")


def test_names_of_ours_are_allowed() -> None:
    for path in (PATH, "exceptions/2026-11-ACME-P12.toml", "prices/ねじ.csv", "closures.csv"):
        assert is_allowed(path), path


def test_a_link_leads_neither_out_of_the_folder_nor_to_another_file(app: Flask, tmp_path: Path) -> None:
    outside = tmp_path / "outside.toml"
    outside.write_text("secret")
    file_of(app, "rules/QT77_link.toml").symlink_to(outside)
    file_of(app, "rules/QT78_link.toml").symlink_to("QT12_turned.toml")
    with app.app_context():
        with pytest.raises(ShopPathError):
            read(shop_of(app), "rules/QT77_link.toml")
        found = saved(app, NEW, "rules/QT78_link.toml")
        assert isinstance(found, Invalid) and found.is_read_only
        (tmp_path / "elsewhere").mkdir()
        file_of(app, "exceptions").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(ShopPathError):
            saved(app, "rule = 1", "exceptions/a.toml", expected="")
    assert outside.read_text() == "secret"
    assert file_of(app).read_text() == OLD


def test_a_file_too_long_for_a_rule_is_refused_before_it_is_written(app: Flask) -> None:
    with app.app_context():
        found = saved(app, OLD + "#" * 1_000_000)
        assert isinstance(found, Invalid)
        assert [one.check for one in found.findings] == ["too-large"]


def test_a_folder_that_cannot_be_written_is_said_and_the_old_file_stays(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("storefront.shop_folder.durable.tempfile.mkstemp", refuse)
    monkeypatch.setattr("storefront.shop_folder.files.os.access", lambda *_: False)
    with app.app_context():
        assert not is_writable(shop_of(app), PATH)
        found = saved(app, NEW)
        assert isinstance(found, Invalid) and found.is_read_only
        assert "Read-only file system" in found.findings[0].message
        assert [text for _actor, _reason, text in history()] == [OLD]


def test_a_file_that_may_not_be_read_is_not_saved_over(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    with app.app_context():
        monkeypatch.setattr("storefront.shop_folder.files._content", refuse)
        assert read(shop_of(app), PATH).etag == UNREADABLE
        found = saved(app, NEW, expected="")
        assert isinstance(found, Invalid) and found.is_read_only
    assert file_of(app).read_text() == OLD


def test_a_disk_that_fills_up_leaves_the_old_file_and_no_rest(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with app.app_context():
        monkeypatch.setattr("storefront.shop_folder.durable.os.fsync", full)
        found = saved(app, NEW)
        assert isinstance(found, Invalid) and "No space left" in found.findings[0].message
        assert file_of(app).read_text() == OLD
        assert not list(file_of(app).parent.glob(f"{PREFIX}*"))
        assert len(history()) == 1


def test_saving_inside_a_transaction_is_refused_because_it_would_wait_for_itself(app: Flask) -> None:
    with app.app_context(), write(), pytest.raises(RuntimeError, match="lock of the files"):
        saved(app, NEW)


# ---- real processes


def task(text: str, expected: str, reason: str = "") -> dict[str, Any]:
    return {"do": "save", "path": PATH, "text": text, "expected": expected, "reason": reason}


def etag(app: Flask) -> str:
    with app.app_context():
        return read(shop_of(app), PATH).etag


def killed(app: Flask, one: dict[str, Any], **options: Any) -> None:
    """Save in a process that dies by SIGKILL on the way."""
    settings = shop_of(app).settings
    shop_of(app).close()
    process = begin(settings.folder, settings.database_url, [one], **options)
    wait_until_warm(process)
    go(process)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL


def test_killed_before_the_file_is_in_place_the_old_one_stands_and_the_next_save_goes(
    app: Flask, database_url: str
) -> None:
    killed(app, task(NEW, etag(app)), die="storefront.shop_folder.durable:move_into_place")
    assert file_of(app).read_text() == OLD
    with app.app_context():
        remember(shop_of(app), PATH)
        assert [(actor, text) for actor, _reason, text in history()] == [(BY_FILE, OLD)]
        assert isinstance(saved(app, NEW), Saved)
    assert not list(file_of(app).parent.glob(f"{PREFIX}*"))


def test_killed_after_the_file_is_in_place_who_and_why_are_known_all_the_same(
    app: Flask, database_url: str
) -> None:
    killed(app, task(NEW, etag(app), "longer"), die="storefront.shop_folder.files:note_written")
    assert file_of(app).read_text() == NEW
    with app.app_context():
        remember(shop_of(app), PATH)
        assert history()[0] == ("owner@example.com", "longer", NEW)
        told = get_session().scalars(select(AuditEntry).where(AuditEntry.subject == f"file:{PATH}")).all()
        assert [entry.actor for entry in told] == ["owner@example.com"]


def test_killed_again_and_again_while_it_saves_there_is_always_a_whole_file_that_the_history_knows(
    app: Flask,
) -> None:
    settings, etags = shop_of(app).settings, {text: etag_of(text.encode()) for text in (OLD, NEW)}
    shop_of(app).close()
    for burst in (1, 2):
        now = file_of(app).read_text()
        then = NEW if now == OLD else OLD
        tasks = [task(then, etags[now]), task(now, etags[then])] * 30
        process = begin(settings.folder, settings.database_url, tasks)
        wait_until_warm(process)
        go(process)
        assert process.stdout is not None
        for _ in range(2 * burst):
            assert json.loads(process.stdout.readline())["outcome"] == "Saved"
        process.kill()
        process.communicate()
        assert file_of(app).read_text() in (OLD, NEW)
        with app.app_context():
            remember(shop_of(app), PATH)
            newest = history()[0]
            assert newest[2] == file_of(app).read_text()
            assert newest[0] == "owner@example.com"


def test_control_without_the_rename_a_killed_save_leaves_half_a_file(app: Flask) -> None:
    killed(app, task(NEW, etag(app)), without="the_rename")
    assert file_of(app).read_bytes() not in (OLD.encode(), NEW.encode())


def test_of_many_who_save_over_the_same_file_at_once_one_wins_and_the_others_are_told(
    app: Flask, database_url: str
) -> None:
    settings = shop_of(app).settings
    known = etag(app)
    shop_of(app).close()
    texts = [OLD.replace("minimum = 50", f"minimum = {number}0") for number in range(5, 10)]
    answers = together(
        settings.folder,
        settings.database_url,
        [task(text, known) for text in texts[1:]],
        processes=2,
        threads=2,
    )
    assert sorted(answer["outcome"] for answer in answers) == ["Conflict"] * 3 + ["Saved"]
    assert file_of(app).read_text() in texts
    with app.app_context():
        assert len(history()) == 2


def test_control_without_the_lock_several_of_them_believe_that_they_won(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal, outcomes = shop_files._refusal, []

    def somebody_else_saves_in_this_moment(*args: Any) -> Any:
        """Between the look at the file and the writing."""
        monkeypatch.setattr(shop_files, "_refusal", refusal)
        outcomes.append(saved(app, OLD.replace("minimum = 50", "minimum = 70")))
        return refusal(*args)

    monkeypatch.setattr(shop_files, "holding", lambda _shop: nullcontext())
    monkeypatch.setattr(shop_files, "_refusal", somebody_else_saves_in_this_moment)
    with app.app_context():
        outcomes.append(saved(app, NEW))
    assert [type(outcome) for outcome in outcomes] == [Saved, Saved]
