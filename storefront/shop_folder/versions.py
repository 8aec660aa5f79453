"""Every version of a file of the shop folder that the desk wrote or met: who, when, why, and its exact bytes.

The files stay the truth; this is their history, written under the lock of the files alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, func, select
from sqlalchemy.orm import Mapped, Session, deferred, mapped_column, undefer

from storefront.clock import now
from storefront.database import Base, UtcDateTime

BY_FILE = "file"  # the actor of a change made in the folder itself, with an editor or by a deployment


class ShopFileVersion(Base):
    """One version. `sha` is "" and `content` None where the file was removed.

    `is_written` is false from the moment a change is meant until its file is in place; what is left so by a killed
    process is settled at the next look. `stamp` is the file's time in nanoseconds, to know an untouched file by.
    """

    __tablename__ = "shop_file_versions"

    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(String(200), index=True)
    sha: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    actor: Mapped[str] = mapped_column(String(254))
    reason: Mapped[str] = mapped_column(String(500), default="")
    restores_id: Mapped[int | None] = mapped_column(ForeignKey("shop_file_versions.id"))
    stamp: Mapped[int] = mapped_column(BigInteger, default=0)
    is_written: Mapped[bool] = mapped_column(default=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    @property
    def text(self) -> str | None:
        """The content as text with plain line ends; None where the file was removed."""
        return None if self.content is None else text_of(self.content)


def text_of(content: bytes) -> str:
    """Bytes of a file as text: without a byte order mark, lines ending in a line feed, what is no UTF-8 as �."""
    return content.decode("utf-8-sig", errors="replace").replace("\r\n", "\n")


def versions(
    session: Session, path: str, limit: int = 50, *, with_content: bool = False
) -> Sequence[ShopFileVersion]:
    """The versions of a file, newest first; without their content unless that is asked for."""
    query = select(ShopFileVersion).where(ShopFileVersion.path == path, ShopFileVersion.is_written)
    if with_content:
        query = query.options(undefer(ShopFileVersion.content))
    return session.scalars(query.order_by(ShopFileVersion.id.desc()).limit(limit)).all()


def newest(session: Session, path: str) -> ShopFileVersion | None:
    """The last version that is known to have stood in the folder."""
    found = versions(session, path, 1)
    return found[0] if found else None


def newest_of_all(session: Session, paths: Collection[str] | None = None) -> dict[str, ShopFileVersion]:
    """The newest version of each path, in one query."""
    last = (
        select(func.max(ShopFileVersion.id)).where(ShopFileVersion.is_written).group_by(ShopFileVersion.path)
    )
    if paths is not None:
        last = last.where(ShopFileVersion.path.in_(paths))
    found = session.scalars(select(ShopFileVersion).where(ShopFileVersion.id.in_(last)))
    return {version.path: version for version in found}
