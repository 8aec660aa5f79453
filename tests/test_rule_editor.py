"""The rules desk that writes: drafts, the live check, putting in force, conflicts, history, and who may do what."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from storefront.database import get_session
from storefront.shop_folder.drafts import RuleDraft
from storefront.shop_folder.files import etag_of
from storefront.shop_folder.versions import BY_FILE, versions
from support.shop import RULES, sign_in

PATH = "rules/QT12_turned.toml"
CASES = """
[[case]]
name = "30 are refused"
cart = [{sku = "P-12", quantity = 30}]
expect = {outcome = "block"}
"""
OLD = RULES["QT12_turned.toml"].lstrip() + CASES
NEW = OLD.replace("minimum = 50", "minimum = 60")
TYPO = OLD.replace("minimum = 50", "minimun = 60")
LINE = OLD.split("\n").index("minimum = 50") + 1


@pytest.fixture
def file(app: Flask) -> Path:
    place: Path = app.extensions["koguchi"].settings.folder / PATH
    place.write_text(OLD)
    return place


@pytest.fixture
def owner(client: FlaskClient, file: Path) -> FlaskClient:
    sign_in(client, "owner")
    return client


def form(text: str | None = None, base: str = "", revision: int = 0, **more: str) -> dict[str, Any]:
    typed = {} if text is None else {"file": text}
    return {**typed, "base": base or etag_of(OLD.encode()), "revision": revision, **more}


def drafts(app: Flask) -> list[RuleDraft]:
    with app.app_context():
        found = get_session().scalars(select(RuleDraft).order_by(RuleDraft.id)).all()
        return [each for each in found if each.text is not None]


def drafted(client: FlaskClient, text: str, **more: str) -> int:
    answer = client.post("/admin/rules/QT12/edit", data=form(text, **more))
    assert answer.status_code == 302
    return drafts(client.application)[-1].id


def page(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.get_data(as_text=True)


def history(app: Flask) -> list[tuple[str, str, bool]]:
    """Actor, reason, and whether it is the old text."""
    with app.app_context():
        return [(one.actor, one.reason, one.text == OLD) for one in versions(get_session(), PATH)]


# ---- drafts


def test_the_editor_shows_the_file_and_keeps_nothing_before_the_first_button(
    app: Flask, owner: FlaskClient
) -> None:
    told = page(owner, "/admin/rules/QT12/edit")
    for text in ("minimum = 50", PATH, "30 are refused", "合っています", "50から", "Less is refused"):
        assert text in told, text
    assert drafts(app) == []


def test_what_was_typed_is_kept_however_broken_and_the_shop_notices_nothing(
    app: Flask, owner: FlaskClient, file: Path
) -> None:
    number = drafted(owner, "broken [\r\n", reason="an idea")
    draft = drafts(app)[0]
    assert (draft.text, draft.reason, draft.errors) == ("broken [\n", "an idea", 1)
    assert file.read_text() == OLD
    told = page(owner, f"/admin/rules/drafts/{number}")
    assert "broken [" in told and f"{PATH}:1" in told and "TOML として読めません" in told
    assert f"/admin/rules/drafts/{number}" in page(owner, "/admin/rules")
    assert f"/admin/rules/drafts/{number}" in page(owner, "/admin/rules/QT12")


def test_a_mistake_is_told_with_its_line_its_word_and_the_button_that_mends_it(
    app: Flask, owner: FlaskClient
) -> None:
    number = drafted(owner, TYPO)
    told = page(owner, f"/admin/rules/drafts/{number}")
    assert f"{PATH}:{LINE}" in told
    assert "<mark>minimun</mark>" in told
    assert f"{LINE}行目を minimum に直す" in told
    assert "/admin/rules/checks#unknown-key" in told
    assert f"{LINE} minimum を" not in page(owner, f"/admin/rules/drafts/{number}?lang=en")
    answer = owner.post(
        f"/admin/rules/drafts/{number}", data=form(TYPO, revision=1, fix=f"{LINE}:minimun:minimum")
    )
    assert answer.headers["Location"].endswith("#actions")
    draft = drafts(app)[0]
    assert (draft.text, draft.errors, draft.revision) == (NEW, 0, 2)


def test_the_messages_are_those_of_the_command_line(app: Flask, owner: FlaskClient) -> None:
    with app.app_context():
        from storefront.shop_folder.files import check_draft

        wanted = check_draft(app.extensions["koguchi"], {PATH: TYPO}).errors[0]
    told = owner.post("/admin/rules/check?lang=en", data={"path": PATH, "file": TYPO}).get_data(as_text=True)
    shown = re.sub(r"&#34;|“|”", '"', told)
    assert f"{wanted.file}:{wanted.line}" in shown
    assert wanted.message in shown and wanted.hint in shown


def test_the_check_while_typing_answers_parts_of_the_page_and_keeps_nothing(
    app: Flask, owner: FlaskClient
) -> None:
    told = owner.post("/admin/rules/check", data={"path": PATH, "file": NEW}).get_data(as_text=True)
    for part in ("check", "faults", "numbers", "actions", "said"):
        assert f'id="{part}"' in told
    assert "<ins>50から" not in told and "<ins>" in told and "60から" in told
    assert "誤りなし" in told and "<html" not in told
    failing = owner.post(
        "/admin/rules/check", data={"path": PATH, "file": OLD.replace("minimum = 50", "minimum = 20")}
    ).get_data(as_text=True)
    assert "1件の事例のうち1件が合いません" in failing and "disabled" in failing
    assert drafts(app) == []


def test_a_case_that_fails_says_what_came_instead(owner: FlaskClient) -> None:
    number = drafted(owner, OLD.replace("minimum = 50", "minimum = 20"))
    told = page(owner, f"/admin/rules/drafts/{number}")
    assert "合いません" in told
    assert "outcome は" in told and "(期待は" in told


def test_a_collision_with_another_rule_is_told_before_it_costs_money(owner: FlaskClient, file: Path) -> None:
    other = OLD.replace("QT12", "QT13").replace("minimum = 50", "minimum = 30").split("\n[[case]]")[0] + "\n"
    (file.parent / "QT13_other.toml").write_text(other.replace('"turned"', '"fasteners/nuts"'))
    number = drafted(owner, OLD.replace('"turned"', '"fasteners/nuts"').split("\n[[case]]")[0])
    told = page(owner, f"/admin/rules/drafts/{number}")
    assert "ほかのルールとぶつかります" in told
    assert "QT13" in told


def test_first_day_and_mode_are_written_into_the_file_and_comments_stay(
    app: Flask, owner: FlaskClient
) -> None:
    text = OLD.replace('code = "QT12"', '# the lathe\ncode = "QT12"  # turned')
    drafted(owner, text, was_from="", **{"from": "2026-12-01"}, was_mode="live", mode="shadow")
    kept = drafts(app)[0].text
    assert "# the lathe\n" in kept and "# turned" in kept
    assert "from = 2026-12-01\n" in kept and 'mode = "shadow"\n' in kept
    number = drafts(app)[0].id
    told = page(owner, f"/admin/rules/drafts/{number}")
    assert 'value="2026-12-01"' in told
    owner.post(
        f"/admin/rules/drafts/{number}",
        data=form(kept, revision=1, was_from="2026-12-01", **{"from": ""}, was_mode="shadow", mode="live"),
    )
    assert "\nfrom" not in drafts(app)[0].text and 'mode = "live"' in drafts(app)[0].text


def test_a_date_for_a_text_that_is_no_toml_is_told_and_the_text_kept(app: Flask, owner: FlaskClient) -> None:
    drafted(owner, "x = [", was_from="", **{"from": "2026-12-01"})
    assert drafts(app)[0].text == "x = [\n"
    assert "TOML として読めるようになると" in page(owner, "/admin/rules")


def test_two_people_on_one_draft_lose_nothing(app: Flask, owner: FlaskClient) -> None:
    number = drafted(owner, NEW)
    for text in (NEW + "# mine\n", NEW + "# yours\n"):
        owner.post(f"/admin/rules/drafts/{number}", data=form(text, revision=1))
    assert [one.text[-7:] for one in drafts(app)] == ["# mine\n", " yours\n"]
    assert drafts(app)[0].base_etag == drafts(app)[1].base_etag


def test_a_draft_that_is_given_up_can_still_be_read(app: Flask, owner: FlaskClient) -> None:
    number = drafted(owner, NEW)
    owner.post(f"/admin/rules/drafts/{number}/discard")
    assert f"drafts/{number}" not in page(owner, "/admin/rules")
    told = page(owner, f"/admin/rules/drafts/{number}")
    assert "この下書きはやめました" in told and "minimum = 60" in told
    assert owner.post(f"/admin/rules/drafts/{number}/activate", data=form(reason="late")).status_code == 302
    assert drafts(app)[0].state == "discarded"


# ---- in force


def test_putting_a_draft_in_force_changes_what_buyers_are_told_and_keeps_who_and_why(
    app: Flask, owner: FlaskClient, file: Path
) -> None:
    number = drafted(owner, NEW)
    answer = owner.post(
        f"/admin/rules/drafts/{number}/activate", data=form(NEW, revision=1, reason="takes longer")
    )
    assert answer.headers["Location"].endswith("/admin/rules/QT12")
    assert file.read_text() == NEW
    assert history(app) == [("owner@example.com", "takes longer", False), (BY_FILE, "", True)]
    assert drafts(app)[0].state == "active"
    told = page(owner, "/admin/rules/QT12")
    assert "60から" in told and "takes longer" in told
    assert "青柳 ゆかり" in page(owner, "/admin/rules")


def test_a_rule_can_be_put_in_force_straight_from_its_file(
    app: Flask, owner: FlaskClient, file: Path
) -> None:
    owner.post("/admin/rules/QT12/activate", data=form(NEW, reason="at once"))
    assert file.read_text() == NEW
    assert [one.state for one in drafts(app)] == ["active"]


def test_without_a_reason_nothing_is_put_in_force(app: Flask, owner: FlaskClient, file: Path) -> None:
    number = drafted(owner, NEW)
    answer = owner.post(f"/admin/rules/drafts/{number}/activate", data=form(NEW, revision=1, reason=" "))
    assert answer.status_code == 422
    assert "理由を書いてください" in answer.get_data(as_text=True)
    assert file.read_text() == OLD


def test_a_draft_with_errors_is_not_put_in_force_even_when_the_button_is_forged(
    app: Flask, owner: FlaskClient, file: Path
) -> None:
    number = drafted(owner, TYPO)
    for text in (TYPO, OLD.replace("minimum = 50", "minimum = 20"), "", "x"):
        revision = drafts(app)[0].revision
        answer = owner.post(
            f"/admin/rules/drafts/{number}/activate", data=form(text, revision=revision, reason="x")
        )
        assert answer.status_code == 422, text
        assert file.read_text() == OLD


def test_errors_in_another_file_do_not_stop_a_change_and_are_named(owner: FlaskClient, file: Path) -> None:
    page(owner, "/admin/rules")
    (file.parent / "SC90_other.toml").write_text("nonsense")
    number = drafted(owner, NEW)
    answer = owner.post(
        f"/admin/rules/drafts/{number}/activate",
        data=form(NEW, revision=1, reason="x"),
        follow_redirects=True,
    )
    assert file.read_text() == NEW
    assert "rules/SC90_other.toml:1 が直るまで、店は前の版で動きます" in answer.get_data(as_text=True)


def test_a_new_rule_from_a_draft_becomes_a_file(app: Flask, owner: FlaskClient, file: Path) -> None:
    from storefront.database import write
    from storefront.shop_folder.drafts import create_draft

    text = 'code = "SC20"\nname = "Opened carton"\n[surcharge]\namount = 300\nper = "order"\n'
    with app.app_context(), write() as session:
        number = create_draft(session, path="rules/SC20_carton.toml", text=text, actor="clerk@example.com")
    assert "新しいファイル" in page(owner, f"/admin/rules/drafts/{number}")
    answer = owner.post(
        f"/admin/rules/drafts/{number}/activate", data=form(text, revision=1, reason="cartons")
    )
    assert answer.headers["Location"].endswith("/admin/rules/SC20")
    assert (file.parent / "SC20_carton.toml").read_text() == text


# ---- never over somebody else's change


def test_a_file_changed_on_the_disk_is_shown_beside_the_draft_and_neither_is_lost(
    app: Flask, owner: FlaskClient, file: Path
) -> None:
    number = drafted(owner, NEW)
    theirs = OLD.replace("multiple = 10", "multiple = 5")
    file.write_text(theirs)
    answer = owner.post(f"/admin/rules/drafts/{number}/activate", data=form(NEW, revision=1, reason="x"))
    assert answer.status_code == 409
    told = answer.get_data(as_text=True)
    for text in ("minimum = 60", "multiple = 5", "どちらの文も残っています", "60から", "5単位で"):
        assert text in told, text
    assert file.read_text() == theirs
    assert drafts(app)[0].text == NEW
    assert "見比べて決める" in page(owner, f"/admin/rules/drafts/{number}")


def test_the_owner_may_choose_the_draft_knowingly_and_the_other_stays_in_the_history(
    app: Flask, owner: FlaskClient, file: Path
) -> None:
    number = drafted(owner, NEW)
    theirs = OLD.replace("multiple = 10", "multiple = 5")
    file.write_text(theirs)
    told = page(owner, f"/admin/rules/drafts/{number}/compare")
    shown = re.findall(r'name="expected" value="(\w+)"', told)
    assert set(shown) == {etag_of(theirs.encode())}
    # A third change between the page and the button is not covered either.
    file.write_text(theirs + "# third\n")
    posted = form(expected=shown[0], revision=1, reason="mine")
    assert owner.post(f"/admin/rules/drafts/{number}/activate", data=posted).status_code == 409
    assert file.read_text() == theirs + "# third\n"
    file.write_text(theirs)
    posted["revision"] = drafts(app)[0].revision
    assert owner.post(f"/admin/rules/drafts/{number}/activate", data=posted).status_code == 302
    assert file.read_text() == NEW
    assert history(app)[0] == ("owner@example.com", "mine", False)
    with app.app_context():
        assert theirs in [one.text for one in versions(get_session(), PATH)]


def test_going_on_with_a_draft_takes_account_of_the_file_as_it_was_shown(
    app: Flask, owner: FlaskClient, file: Path
) -> None:
    number = drafted(owner, NEW)
    theirs = OLD.replace("multiple = 10", "multiple = 5")
    file.write_text(theirs)
    owner.post(f"/admin/rules/drafts/{number}/keep", data={"expected": etag_of(theirs.encode())})
    told = page(owner, f"/admin/rules/drafts/{number}")
    assert "見比べて決める" not in told
    assert "- multiple = 5" in told
    both = NEW.replace("multiple = 10", "multiple = 5")
    revision = drafts(app)[0].revision
    posted = form(both, revision=revision, reason="both")
    assert owner.post(f"/admin/rules/drafts/{number}/activate", data=posted).status_code == 302
    assert file.read_text() == both


def test_of_two_drafts_of_one_file_the_second_meets_the_first(
    app: Flask, owner: FlaskClient, file: Path
) -> None:
    first, second = drafted(owner, NEW), drafted(owner, OLD.replace("minimum = 50", "minimum = 70"))
    assert f"drafts/{second}" in page(owner, f"/admin/rules/drafts/{first}")
    posted = form(revision=1, reason="x")
    assert owner.post(f"/admin/rules/drafts/{first}/activate", data=posted).status_code == 302
    assert owner.post(f"/admin/rules/drafts/{second}/activate", data=posted).status_code == 409
    assert file.read_text() == NEW


def test_a_file_removed_meanwhile_is_told(owner: FlaskClient, file: Path) -> None:
    number = drafted(owner, NEW)
    file.unlink()
    posted = form(revision=1, reason="x")
    assert owner.post(f"/admin/rules/drafts/{number}/activate", data=posted).status_code == 409
    assert "ファイルが削除されました" in page(owner, f"/admin/rules/drafts/{number}")
    assert not file.exists()


# ---- history


def test_one_click_goes_back_and_going_back_is_a_version(app: Flask, owner: FlaskClient, file: Path) -> None:
    owner.post("/admin/rules/QT12/activate", data=form(NEW, reason="x"))
    told = page(owner, "/admin/rules/QT12")
    at, etag = re.search(r'action="([^"]+/restore)".*?name="expected" value="(\w+)"', told, re.S).groups()  # type: ignore[union-attr]
    owner.post(at, data={"expected": etag})
    assert file.read_text() == OLD
    assert [is_old for _actor, _reason, is_old in history(app)] == [True, False, True]
    told = page(owner, "/admin/rules/QT12/history")
    assert "に戻した" in told
    assert "<ins>50から、</ins>" in told


def test_a_version_shows_its_text_what_it_changed_and_what_going_back_changes(
    app: Flask, owner: FlaskClient
) -> None:
    owner.post("/admin/rules/QT12/activate", data=form(NEW, reason="x"))
    with app.app_context():
        now, before = (one.id for one in versions(get_session(), PATH))
    told = page(owner, f"/admin/rules/QT12/history/{now}")
    assert "- minimum = 50" in told and "+ minimum = 60" in told and "いまの版" in told
    told = page(owner, f"/admin/rules/QT12/history/{before}")
    assert "+ minimum = 50" in told and "この版に戻す" in told
    assert owner.get(f"/admin/rules/QT10/history/{before}").status_code == 404
    owner.post(f"/admin/rules/QT12/history/{before}/draft")
    assert [one.text for one in drafts(app)][-1] == OLD


def test_going_back_never_covers_a_change_made_meanwhile(app: Flask, owner: FlaskClient, file: Path) -> None:
    owner.post("/admin/rules/QT12/activate", data=form(NEW, reason="x"))
    with app.app_context():
        before = versions(get_session(), PATH)[-1].id
    file.write_text(NEW + "# an editor\n")
    answer = owner.post(
        f"/admin/rules/QT12/history/{before}/restore", data={"expected": etag_of(NEW.encode())},
        follow_redirects=True,
    )  # fmt: skip
    assert "そのあいだにファイルが変わりました" in answer.get_data(as_text=True)
    assert file.read_text() == NEW + "# an editor\n"


def test_a_version_that_no_longer_passes_the_check_is_refused_with_its_message(
    app: Flask, owner: FlaskClient, file: Path
) -> None:
    file.write_text(TYPO)
    page(owner, "/admin/rules")
    file.write_text(OLD)
    page(owner, "/admin/rules")
    with app.app_context():
        broken = versions(get_session(), PATH)[1].id
    answer = owner.post(
        f"/admin/rules/QT12/history/{broken}/restore", data={"expected": etag_of(OLD.encode())},
        follow_redirects=True,
    )  # fmt: skip
    assert f"{PATH}:{LINE}" in answer.get_data(as_text=True)
    assert file.read_text() == OLD


def test_switching_off_and_removing_are_versions_that_can_be_brought_back(
    app: Flask, owner: FlaskClient, file: Path
) -> None:
    owner.post(
        "/admin/rules/QT12/switch", data={"expected": etag_of(OLD.encode()), "mode": "off", "reason": "rest"}
    )
    off = file.read_text()
    assert 'mode = "off"' in off
    assert "mode = off" in page(owner, "/admin/rules/QT12/history")
    owner.post("/admin/rules/QT12/delete", data={"expected": etag_of(off.encode()), "reason": "gone"})
    assert not file.exists()
    assert "削除したルール1本" in page(owner, "/admin/rules")
    assert owner.get("/admin/rules/QT12").headers["Location"].endswith("/admin/rules/QT12/history")
    with app.app_context():
        first = versions(get_session(), PATH)[-1].id
    owner.post(f"/admin/rules/QT12/history/{first}/restore", data={"expected": ""})
    assert file.read_text() == OLD
    assert owner.post("/admin/rules/QT12/switch", data={"mode": "sometimes"}).status_code == 400


def test_what_an_editor_changed_in_the_folder_is_in_the_history_after_a_look_at_the_list(
    app: Flask, owner: FlaskClient, file: Path
) -> None:
    page(owner, "/admin/rules")
    file.write_text(NEW)
    assert "フォルダーで" in page(owner, "/admin/rules")
    file.write_text(OLD)
    page(owner, "/admin/rules/QT12")
    assert history(app) == [(BY_FILE, "", True), (BY_FILE, "", False), (BY_FILE, "", True)]


# ---- who may, and what cannot be broken


def test_a_clerk_drafts_and_the_owner_alone_puts_in_force(
    app: Flask, client: FlaskClient, file: Path
) -> None:
    sign_in(client, "clerk")
    number = drafted(client, NEW, reason="mine")
    told = page(client, f"/admin/rules/drafts/{number}")
    assert "有効にするのは店主です" in told and "/activate" not in told
    with app.app_context():
        known = versions(get_session(), PATH)[0].id
    for path, posted in (
        (f"/admin/rules/drafts/{number}/activate", form(NEW, revision=1, reason="x")),
        ("/admin/rules/QT12/activate", form(NEW, reason="x")),
        (f"/admin/rules/QT12/history/{known}/restore", {"expected": ""}),
        ("/admin/rules/QT12/switch", {"mode": "off", "expected": etag_of(OLD.encode())}),
        ("/admin/rules/QT12/delete", {"expected": etag_of(OLD.encode())}),
    ):
        assert client.post(path, data=posted).status_code == 403, path
    for path in ("/admin/rules/QT12", "/admin/rules/QT12/history", f"/admin/rules/QT12/history/{known}"):
        assert "/restore" not in page(client, path)
    assert file.read_text() == OLD
    assert len(drafts(app)) == 1


def test_a_buyer_and_a_visitor_get_nothing(app: Flask, client: FlaskClient, owner: FlaskClient) -> None:
    number = drafted(owner, NEW)
    buyer = app.test_client()
    sign_in(buyer, "hayashi-admin")
    for path in (
        f"/admin/rules/drafts/{number}",
        "/admin/rules/QT12/edit",
        f"/admin/rules/drafts/{number}/file",
    ):
        assert buyer.get(path).status_code == 403
        assert app.test_client().get(path).status_code == 302
    assert buyer.post("/admin/rules/check", data={"path": PATH, "file": OLD}).status_code == 403


def test_a_post_without_the_forms_token_is_refused(app: Flask, csrf_client: FlaskClient, file: Path) -> None:
    sign_in(csrf_client, "owner")
    for path in ("/admin/rules/QT12/edit", "/admin/rules/QT12/activate", "/admin/rules/check",
                 "/admin/rules/QT12/delete", "/admin/rules/QT12/switch"):  # fmt: skip
        assert csrf_client.post(path, data=form(NEW, reason="x", path=PATH)).status_code in {400, 419}, path
    assert file.read_text() == OLD and drafts(app) == []


def test_no_other_file_is_reached_through_the_desk(app: Flask, owner: FlaskClient, file: Path) -> None:
    for code in ("..%2Fshop", "QT12_turned", "shop", "qt12", "QT12.toml", "QT99", "drafts", "QT12%00"):
        for end in ("edit", "history"):
            assert owner.get(f"/admin/rules/{code}/{end}").status_code == 404, code
    for path in ("shop.toml", "../shop.toml", "rules/../shop.toml", "people.toml", "", "/etc/passwd"):
        assert owner.post("/admin/rules/check", data={"path": path, "file": OLD}).status_code == 404
    assert owner.get("/admin/rules/drafts/999999").status_code == 404


def test_what_stands_in_a_draft_is_shown_and_never_run(owner: FlaskClient) -> None:
    evil = '</textarea><script>alert(1)</script>{{7*7}}\ncode = "<img src=x onerror=alert(1)>"\n'
    number = drafted(owner, evil, reason="<script>alert(2)</script>")
    for path in (f"/admin/rules/drafts/{number}", "/admin/rules", f"/admin/rules/drafts/{number}/compare"):
        told = page(owner, path)
        assert "<script>alert" not in told and "<img src=x" not in told
    told = owner.post("/admin/rules/check", data={"path": PATH, "file": evil}).get_data(as_text=True)
    assert "<script>alert" not in told and "<img src=x" not in told
    answer = owner.get(f"/admin/rules/drafts/{number}/file")
    assert answer.mimetype == "text/plain"
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_odd_forms_are_answered_and_never_fail(owner: FlaskClient, file: Path) -> None:
    number = drafted(owner, NEW)
    for odd in (
        {}, {"revision": "x"}, {"revision": "9" * 40}, {"fix": "::"}, {"fix": "99999:a:b"},
        {"from": "2026-99-99", "was_from": ""}, {"mode": "../x", "was_mode": "live"}, {"file": "[" * 200_000},
        {"file": "\0\x1b[31m"}, {"expected": "x" * 500, "reason": "\r\nx"}, {"file": "a = " + "9" * 90_000},
    ):  # fmt: skip
        for path in (
            f"/admin/rules/drafts/{number}",
            f"/admin/rules/drafts/{number}/activate",
            "/admin/rules/check",
        ):
            answer = owner.post(path, data={"path": PATH, **odd})
            assert answer.status_code < 500, (path, odd, answer.status_code)
    assert file.read_text() == OLD


def test_a_shop_on_a_read_only_disk_says_so_and_offers_the_text(
    app: Flask, owner: FlaskClient, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storefront.shop_folder.files.os.access", lambda *_: False)
    number = drafted(owner, NEW)
    told = page(owner, f"/admin/rules/drafts/{number}")
    assert "ここから店のフォルダーには書けません" in told and "/activate" not in told
    assert owner.get(f"/admin/rules/drafts/{number}/file").get_data(as_text=True) == NEW
    assert "ここから店のフォルダーには書けません" in page(owner, "/admin/rules")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("storefront.shop_folder.durable.tempfile.mkstemp", refuse)
    answer = owner.post(f"/admin/rules/drafts/{number}/activate", data=form(NEW, revision=1, reason="x"))
    assert answer.status_code == 503
    assert file.read_text() == OLD
    assert drafts(app)[0].state == "open"


def test_every_check_is_explained_on_its_page(owner: FlaskClient) -> None:
    from rules.check_table import CHECKS

    told = page(owner, "/admin/rules/checks")
    assert all(f'id="{code}"' in told for code in CHECKS)


def test_a_draft_of_an_exception_opens_is_checked_and_becomes_a_file(app: Flask, owner: FlaskClient) -> None:
    from storefront.database import write
    from storefront.shop_folder.drafts import create_draft

    path = "exceptions/2026-11-HAYASHI.toml"
    text = (
        'rule = "QT12"\ncustomer = "HAYASHI"\nuntil = 2026-12-31\nreason = "prototype"\n'
        'approved_by = "owner"\n[change]\nminimum = 10\n'
    )
    with app.app_context(), write() as session:
        number = create_draft(session, path=path, text=text, actor="clerk@example.com")
    assert path in page(owner, f"/admin/rules/drafts/{number}")
    assert path in page(owner, "/admin/rules")
    posted = form(text.replace("minimum", "minimun"), revision=1, reason="x")
    assert owner.post(f"/admin/rules/drafts/{number}/activate", data=posted).status_code == 422
    answer = owner.post(f"/admin/rules/drafts/{number}/activate", data=form(text, revision=2, reason="x"))
    assert answer.headers["Location"].endswith("/admin/rules")
    assert (app.extensions["koguchi"].settings.folder / path).read_text() == text
