"""Drafts of rule files: whatever was typed is kept, and two people on one draft notice each other."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from storefront.database import get_session, write
from storefront.shop_folder.drafts import (
    ACTIVE,
    RuleDraft,
    create_draft,
    decide_draft,
    open_drafts,
    rebase_draft,
    save_draft,
)
from storefront.shop_folder.files import ShopPathError

PATH = "rules/QT12_turned.toml"


def draft(text: str = "broken [", path: str = PATH, **values: str) -> int:
    with write() as session:
        return create_draft(session, path=path, text=text, actor="clerk@example.com", **values)


def kept(number: int) -> RuleDraft:
    return get_session().scalars(select(RuleDraft).where(RuleDraft.id == number)).one()


def test_a_draft_keeps_what_was_typed_however_broken(app: Flask) -> None:
    with app.app_context():
        number = draft("broken [\r\nコード = \0", base_etag="abc", reason="an idea")
        found = kept(number)
        assert (found.text, found.base_etag, found.reason) == ("broken [\nコード = \n", "abc", "an idea")
        assert (found.name, found.state, found.revision) == ("QT12", "open", 1)


def test_a_draft_of_a_file_that_the_desk_does_not_write_is_refused(app: Flask) -> None:
    with app.app_context(), pytest.raises(ShopPathError):
        draft(path="../shop.toml")


def test_two_people_on_one_draft_notice_each_other(app: Flask) -> None:
    with app.app_context():
        number = draft()
        for actor, text, revision, is_kept in (
            ("clerk@example.com", "first", 1, True),
            ("owner@example.com", "second", 1, False),
            ("owner@example.com", "second", 2, True),
        ):
            with write() as session:
                done = save_draft(session, number, text=text, actor=actor, reason="", revision=revision)
            assert done is is_kept
        assert (kept(number).text, kept(number).actor) == ("second\n", "owner@example.com")


def test_a_decided_draft_is_no_longer_listed_nor_changed_and_its_text_stays(app: Flask) -> None:
    with app.app_context():
        first, second = draft(), draft("other", "rules/QT10_screws.toml")
        with write() as session:
            rebase_draft(session, first, "def")
            decide_draft(session, first, ACTIVE)
        assert [one.id for one in open_drafts(get_session())] == [second]
        assert open_drafts(get_session(), PATH) == []
        with write() as session:
            assert not save_draft(session, first, text="late", actor="x", reason="", revision=1)
        assert (kept(first).text, kept(first).base_etag) == ("broken [\n", "def")
