"""Hands orders, approvals, payments and shipments to the firm's core system: one JSON file each, in a folder.

A file appears whole or not at all, and once for each event, also when the other side has taken it away already.
"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PrivateAttr

from plugins import (
    AdminPage,
    Config,
    Event,
    EventName,
    Health,
    OrderApproved,
    OrderPlaced,
    PageView,
    PaymentChanged,
    ShipmentCreated,
    ShopFolder,
    TableView,
    hookimpl,
)
from plugins.contract import EVENTS
from plugins.events.order_lines import order_csv
from plugins.events.written import as_json, kind_of

PLUGIN_API = 1
LEDGERS = ".handed-over"  # beside the files: what was handed over, one text file for each month
NEWEST = 50

WORDS = {
    "order_placed": {"ja": "注文", "en": "Order placed"},
    "order_approved": {"ja": "承認", "en": "Order approved"},
    "payment_changed": {"ja": "支払いの変化", "en": "Payment changed"},
    "shipment_created": {"ja": "出荷", "en": "Shipment"},
}
WAITS = {"ja": "フォルダーにあります", "en": "In the folder"}
TAKEN = {"ja": "取り込み済み", "en": "Taken"}


class Settings(Config):
    folder: ShopFolder = Field(
        default=Path("erp"),
        validate_default=True,
        description="where the files go: in the shop folder, or an absolute path that is there already",
        json_schema_extra={"ja": "ファイルを置くフォルダー。ショップのフォルダーの中か、すでにある絶対パス"},
    )
    events: tuple[EventName, ...] = Field(
        default=EVENTS,
        min_length=1,
        description="which events are handed over",
        json_schema_extra={"ja": "渡すできごと"},
    )
    order_lines: Literal["none", "utf-8", "cp932"] = Field(
        default="none",
        description="a CSV of the lines beside each placed order, in this encoding",
        json_schema_extra={"ja": "注文ごとに添える明細CSVの文字コード(none は添えない)"},
    )
    _shop: Path | None = PrivateAttr(default=None)

    def model_post_init(self, context: Any) -> None:
        """A folder inside the shop folder may be made; a network drive that is not there must not be."""
        shop = context.get("folder") if isinstance(context, Mapping) else None
        self._shop = Path(shop).resolve() if shop is not None else None

    @property
    def may_be_made(self) -> bool:
        return self._shop is not None and self.folder.is_relative_to(self._shop)


CONFIG = Settings


@hookimpl
def order_placed(event: OrderPlaced, settings: Settings) -> None:
    hand_over(event, settings)


@hookimpl
def order_approved(event: OrderApproved, settings: Settings) -> None:
    hand_over(event, settings)


@hookimpl
def payment_changed(event: PaymentChanged, settings: Settings) -> None:
    hand_over(event, settings)


@hookimpl
def shipment_created(event: ShipmentCreated, settings: Settings) -> None:
    hand_over(event, settings)


def hand_over(event: Event, settings: Settings) -> None:
    """Write the files of an event that was not handed over before. Raises OSError where that cannot be done."""
    kind = kind_of(event)
    if kind not in settings.events:
        return
    ledger = settings.folder / LEDGERS / f"{event.at.astimezone(UTC):%Y-%m}.jsonl"
    if any(line["event_id"] == event.event_id for line in _lines(ledger)):
        return
    _prepare(settings)
    stem = f"{event.at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{event.order.number}-{kind}-{event.event_id[:8]}"
    if kind == "order_placed" and settings.order_lines != "none":
        _place(settings.folder, f"{stem}.csv", order_csv(event.order, settings.order_lines))
    _place(settings.folder, f"{stem}.json", as_json(event))  # last: where it is, its CSV is too
    _note(
        ledger,
        {
            "event_id": event.event_id,
            "at": event.at.astimezone(UTC).isoformat(),
            "kind": kind,
            "order": event.order.number,
            "file": f"{stem}.json",
        },
    )


def _prepare(settings: Settings) -> None:
    if settings.may_be_made:
        settings.folder.mkdir(parents=True, exist_ok=True)
    (settings.folder / LEDGERS).mkdir(exist_ok=True)  # FileNotFoundError names the folder that is not there


def _place(folder: Path, name: str, content: bytes) -> None:
    """The file under its name, whole: written beside it under a name of this call, kept safe, then renamed."""
    part = folder / f".{name}.{secrets.token_hex(4)}.part"
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(folder / name)
    finally:
        for left in folder.glob(f".{name}.*.part"):  # of this call where it failed, or of a worker that died
            with suppress(OSError):
                left.unlink()
    _keep(folder)


def _keep(folder: Path) -> None:
    """A rename survives a power cut once its folder was written; not every network drive can be told so."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _note(ledger: Path, line: dict[str, str]) -> None:
    written = (json.dumps(line, ensure_ascii=False) + "\n").encode()
    handle = os.open(ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(handle, written)  # short, so that lines of two workers never mix
        os.fsync(handle)
    finally:
        os.close(handle)


def _lines(ledger: Path) -> Iterator[dict[str, str]]:
    """What was handed over in a month; a line that a power cut left half written is none."""
    try:
        written = ledger.read_text("utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return
    for line in written:
        with suppress(ValueError):
            found = json.loads(line)
            if isinstance(found, dict) and {"event_id", "at", "kind", "order", "file"} <= found.keys():
                yield found


# ---- how it goes


@hookimpl
def health(settings: Settings) -> Health:
    """Whether a file can be written now: one is, and taken away."""
    try:
        _prepare(settings)
        handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=settings.folder)
        os.close(handle)
        Path(name).unlink()
    except OSError as error:
        why = error.strerror or type(error).__name__
        return Health(
            False,
            {
                "ja": f"フォルダー {settings.folder} に書き込めません({why})。書き込めるまで、お渡しは繰り返し試みます",
                "en": f"The folder {settings.folder} cannot be written ({why}). It is tried again until it can",
            },
        )
    return Health(
        True,
        {"ja": f"{settings.folder} に書き込めます", "en": f"{settings.folder} can be written"},
    )


@hookimpl
def admin_pages(settings: Settings) -> Sequence[AdminPage]:
    title = {"ja": "基幹システムへ渡したファイル", "en": "Files for the core system"}
    return [AdminPage("files", title, lambda: files_page(settings))]


def files_page(settings: Settings) -> PageView:
    """The newest files, and which of them the other side has not taken yet."""
    found: list[dict[str, str]] = []
    for ledger in sorted((settings.folder / LEDGERS).glob("*.jsonl"), reverse=True):
        found += reversed(list(_lines(ledger)))
        if len(found) >= NEWEST:
            break
    rows = tuple(
        (
            datetime.fromisoformat(line["at"]),
            WORDS.get(line["kind"], line["kind"]),
            line["order"],
            line["file"],
            WAITS if (settings.folder / line["file"]).exists() else TAKEN,
        )
        for line in found[:NEWEST]
    )
    columns = (
        {"ja": "日時", "en": "When"},
        {"ja": "できごと", "en": "Event"},
        {"ja": "注文", "en": "Order"},
        {"ja": "ファイル", "en": "File"},
        {"ja": "いま", "en": "Now"},
    )
    return PageView(
        (
            {
                "ja": f"ファイルは {settings.folder} にあります。新しい順に{NEWEST}件までです。",
                "en": f"The files are in {settings.folder}. The newest {NEWEST} are listed.",
            },
        ),
        (TableView({"ja": "渡したファイル", "en": "Files handed over"}, columns, rows),),
    )
