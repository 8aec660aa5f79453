"""Drafts of files of the shop folder: what was typed is kept, right or wrong, until it is activated or given up.

A draft changes nothing in the shop. It remembers the file it was made from, so that nobody's change is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import CheckConstraint, String, Text, select, update
from sqlalchemy.orm import Mapped, Session, deferred, mapped_column

from storefront.clock import now
from storefront.database import Base, UtcDateTime, locked
from storefront.shop_folder.files import ShopPathError, is_allowed

OPEN, ACTIVE, DISCARDED = "open", "active", "discarded"
MOST_TEXT = 1_000_000  # characters, as many as a rule file may have bytes


class RuleDraft(Base):
    """One draft of one file. `revision` grows with every save, so that two people on one draft notice each other."""

    __tablename__ = "rule_drafts"
    __table_args__ = (CheckConstraint("state IN ('open', 'active', 'discarded')", name="state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(String(200), index=True)
    text: Mapped[str] = deferred(mapped_column(Text, nullable=False))
    base_etag: Mapped[str] = mapped_column(String(64))  # of the file it was made from, "" for a new file
    actor: Mapped[str] = mapped_column(String(254))  # who saved it last
    reason: Mapped[str] = mapped_column(String(500), default="")
    state: Mapped[str] = mapped_column(String(16), default=OPEN, index=True)
    revision: Mapped[int] = mapped_column(default=1)
    errors: Mapped[int | None]  # that it would bring, when it was last checked
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    @property
    def name(self) -> str:
        """The code at the front of the file's name, such as QT12."""
        return self.path.rpartition("/")[2].partition(".")[0].partition("_")[0]


def create_draft(
    session: Session, *, path: str, text: str, actor: str, base_etag: str = "", reason: str = ""
) -> int:
    """A new draft in the caller's transaction; its page is url_for("admin.rule_draft", draft_id=...).

    `base_etag` is read(shop, path).etag of the file that the text was made from. ShopPathError for a foreign path.
    """
    if not is_allowed(path):
        raise ShopPathError(f"{path!r} is no file that the desk writes")
    moment = now()
    draft = RuleDraft(
        path=path, text=storable(text), base_etag=base_etag, actor=actor, reason=reason[:500],
        created_at=moment, saved_at=moment,
    )  # fmt: skip
    session.add(draft)
    session.flush()
    return draft.id


def storable(text: str) -> str:
    """The text as it is kept: plain line ends, one at the end, without what no database holds."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")[:MOST_TEXT]
    return plain if not plain or plain.endswith("\n") else plain + "\n"


def save_draft(session: Session, draft_id: int, *, text: str, actor: str, reason: str, revision: int) -> bool:
    """Keep what was typed; False when somebody else has saved or decided the draft since `revision`."""
    draft = session.scalars(locked(select(RuleDraft).where(RuleDraft.id == draft_id))).one()
    if draft.revision != revision or draft.state != OPEN:
        return False
    draft.text, draft.actor, draft.reason = storable(text), actor, reason[:500]
    draft.revision, draft.saved_at = revision + 1, now()
    return True


def note_errors(session: Session, draft_id: int, errors: int) -> None:
    """What the last check of the draft said, for lists of drafts."""
    session.execute(update(RuleDraft).where(RuleDraft.id == draft_id).values(errors=errors))


def rebase_draft(session: Session, draft_id: int, base_etag: str) -> None:
    """The draft takes account of the file with this etag from now on."""
    draft = session.scalars(locked(select(RuleDraft).where(RuleDraft.id == draft_id))).one()
    draft.base_etag = base_etag


def decide_draft(session: Session, draft_id: int, state: str) -> None:
    """Activated or given up. Its text stays, so that nothing is lost."""
    draft = session.scalars(locked(select(RuleDraft).where(RuleDraft.id == draft_id))).one()
    draft.state, draft.saved_at = state, now()


def open_drafts(session: Session, path: str | None = None) -> Sequence[RuleDraft]:
    """Drafts that wait, the last saved first; those of one file when a path is given."""
    query = select(RuleDraft).where(RuleDraft.state == OPEN).order_by(RuleDraft.saved_at.desc(), RuleDraft.id)
    return session.scalars(query if path is None else query.where(RuleDraft.path == path)).all()
