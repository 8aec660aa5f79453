"""Which postcodes carriers may charge extra for: islands without a bridge, by the beginning of the postcode. Pure.

Made from Japan Post's list of October 2026: all postcodes of these municipalities and no others begin so. Whether
an island costs extra is the tariff's business; [shipping] remote_postcodes of shop.toml takes the place of the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

REMOTE: Mapping[str, tuple[str, ...]] = {
    "奥尻島": ("04314", "04315"),
    "利尻島・礼文島": ("09701", "09702", "09703", "09704", "0971"),
    "伊豆諸島": ("10001", "10002", "10003", "10004", "10005", "10006", "1001"),
    "小笠原諸島": ("1002",),
    "佐渡島・粟島": ("952", "958006"),
    "隠岐諸島": ("68401", "68402", "68403", "68404", "685"),
    "壱岐・対馬": ("8115", "817"),
    "五島列島": ("853", "85741", "85742", "85744", "85745", "85746", "85747"),
    "三島・トカラ列島": ("89009", "8915"),
    "種子島・屋久島": ("8913", "8914"),
    "奄美群島": ("8916", "8917", "8918", "8919", "894"),
    "沖縄の離島": ("9013", "90505", "90506", "90507", "906", "907"),
}
_ALL = tuple(prefix for prefixes in REMOTE.values() for prefix in prefixes)


def is_remote(country: str, postcode: str | None, own: Iterable[str] | None = None) -> bool:
    """Whether a postcode of seven digits lies on such an island; `own` are the shop's beginnings of postcodes."""
    prefixes = _ALL if own is None else tuple(own)
    return country == "JP" and (postcode or "").startswith(prefixes)
