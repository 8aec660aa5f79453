"""erp_files: one JSON for each event in a folder, whole, once, and a CSV that an office in Japan can open."""

from __future__ import annotations

import csv
import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from plugins import OrderLine
from plugins.events import erp_files
from plugins.events.erp_files import Settings, files_page, hand_over, health
from plugins.events.order_lines import order_csv
from plugins.loader import load
from support.plugin_events import an_order, every_event, placed, yen


def settings_in(shop: Path, **given: Any) -> Settings:
    return Settings.model_validate(given, context={"folder": shop})


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def test_every_event_becomes_one_whole_file_that_names_order_event_and_moment(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    for event in every_event().values():
        hand_over(event, settings)
    assert files(tmp_path / "erp") == [
        "20261120T012000Z-A-10001-order_approved-e-2.json",
        "20261120T012000Z-A-10001-order_placed-e-1.json",
        "20261120T012000Z-A-10001-payment_changed-e-3.json",
        "20261120T012000Z-A-10001-shipment_created-e-4.json",
    ]
    told = json.loads((tmp_path / "erp" / files(tmp_path / "erp")[1]).read_text("utf-8"))
    assert (told["kind"], told["event_id"], told["order"]["number"]) == ("order_placed", "e-1", "A-10001")
    assert told["order"]["lines"][0]["amount"] == {"minor": 1000, "currency": "JPY"}
    assert told["order"]["ship_to"]["recipient"] == "林製作所"


def test_an_event_told_twice_is_handed_over_once_even_after_the_file_was_taken_away(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    hand_over(placed(), settings)
    (taken,) = [path for path in (tmp_path / "erp").iterdir() if path.is_file()]
    taken.unlink()
    hand_over(placed(), settings)
    assert files(tmp_path / "erp") == []
    hand_over(placed("e-9"), settings)
    assert len(files(tmp_path / "erp")) == 1


def test_control_without_its_ledger_a_file_that_was_taken_away_comes_a_second_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erp_files, "_lines", lambda _ledger: iter(()))
    settings = settings_in(tmp_path)
    for _ in range(2):
        hand_over(placed(), settings)
        (taken,) = (tmp_path / "erp").glob("*.json")
        taken.unlink()


def test_a_worker_that_dies_before_the_file_has_its_name_leaves_none_and_the_next_one_writes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_in(tmp_path)

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", dies)
        with pytest.raises(KeyboardInterrupt):
            hand_over(placed(), settings)
    assert not list((tmp_path / "erp").glob("*.json"))
    hand_over(placed(), settings)
    assert len(list((tmp_path / "erp").glob("*.json"))) == 1
    assert not list((tmp_path / "erp").glob(".*.part"))


def test_a_worker_that_dies_before_it_noted_the_file_writes_the_same_file_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_in(tmp_path)

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(erp_files, "_note", dies)
        with pytest.raises(KeyboardInterrupt):
            hand_over(placed(), settings)
    hand_over(placed(), settings)
    assert len(list((tmp_path / "erp").glob("*.json"))) == 1


def test_two_workers_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    settings, event = settings_in(tmp_path), placed()
    faults: list[Exception] = []

    def hand() -> None:
        try:
            hand_over(event, settings)
        except OSError as error:  # the other one was quicker: it is tried again
            faults.append(error)

    workers = [threading.Thread(target=hand) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(faults) < 8
    hand()
    (path,) = (tmp_path / "erp").glob("*.json")
    assert json.loads(path.read_text("utf-8"))["event_id"] == "e-1"
    assert not list((tmp_path / "erp").glob(".*.part"))


def test_a_half_written_line_of_the_ledger_is_passed_over(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    hand_over(placed(), settings)
    ledger = tmp_path / "erp" / ".handed-over" / "2026-11.jsonl"
    ledger.write_bytes(ledger.read_bytes() + b'{"event_id": "e-2", \xe3\x81\n')
    hand_over(placed("e-3"), settings)
    assert len(ledger.read_bytes().splitlines()) == 3
    assert [row[3] for row in files_page(settings).tables[0].rows] == [
        "20261120T012000Z-A-10001-order_placed-e-3.json",
        "20261120T012000Z-A-10001-order_placed-e-1.json",
    ]


def test_a_network_drive_that_is_not_there_is_never_made_and_its_health_says_so(tmp_path: Path) -> None:
    shop, drive = tmp_path / "shop", tmp_path / "drive" / "orders"
    shop.mkdir()
    settings = settings_in(shop, folder=str(drive))
    with pytest.raises(FileNotFoundError):
        hand_over(placed(), settings)
    told = health(settings)
    assert not told.is_well
    assert told.said is not None
    assert str(drive) in told.said["ja"]
    assert not drive.parent.exists()
    drive.mkdir(parents=True)
    hand_over(placed(), settings)
    assert len(files(drive)) == 1


def test_its_health_writes_a_file_and_takes_it_away(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    assert health(settings).is_well
    assert files(tmp_path / "erp") == []


@pytest.mark.parametrize("folder", ["../elsewhere", ".", "erp/../.."])
def test_a_relative_folder_lies_in_the_shop_folder(folder: str, tmp_path: Path) -> None:
    plugins = load({"erp_files": {"enabled": True, "folder": folder}}, folder=tmp_path)
    (plugin,) = [each for each in plugins.installed if each.id == "erp_files"]
    assert plugin.state == "failed"
    assert "lies outside the shop folder" in str(plugin.error)


def test_only_the_events_that_the_owner_wants_are_handed_over(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, events=["shipment_created"])
    for event in every_event().values():
        hand_over(event, settings)
    assert files(tmp_path / "erp") == ["20261120T012000Z-A-10001-shipment_created-e-4.json"]


def rows(content: bytes, encoding: str) -> list[dict[str, str]]:
    return list(csv.DictReader(content.decode(encoding).splitlines()))


@pytest.mark.parametrize(("setting", "encoding"), [("utf-8", "utf-8-sig"), ("cp932", "cp932")])
def test_the_amounts_of_the_csv_add_up_to_the_order(setting: str, encoding: str, tmp_path: Path) -> None:
    hand_over(placed(), settings_in(tmp_path, order_lines=setting))
    content = (tmp_path / "erp" / "20261120T012000Z-A-10001-order_placed-e-1.csv").read_bytes()
    assert content.count(b"\r\n") == content.count(b"\n") == 6
    told = rows(content, encoding)
    assert [row["kind"] for row in told] == ["goods", "charge", "shipping", "payment_fee", "tax"]
    assert sum(int(row["amount"]) for row in told) == 2640
    assert told[0]["name"] == "ナット"
    assert {row["order_number"] for row in told} == {"A-10001"}


def test_texts_that_a_spreadsheet_would_calculate_are_texts_and_amounts_below_zero_are_numbers() -> None:
    order = an_order(
        purchase_order_number="=1+1",
        company="@林\n製作所",
        lines=(OrderLine(1, "+SUM(A1)", {"ja": "-ナット\t大"}, 1, yen(-50)),),
    )
    told = rows(order_csv(order, "utf-8"), "utf-8-sig")[0]
    assert told["purchase_order_number"] == "'=1+1"
    assert told["customer"] == "'@林 製作所"
    assert (told["code"], told["name"], told["amount"]) == ("'+SUM(A1)", "'-ナット 大", "-50")


def test_a_character_that_cp932_lacks_becomes_the_printers_sign_and_the_wave_dash_stays_one() -> None:
    told = rows(order_csv(an_order(company="𠮷野〜髙橋"), "cp932"), "cp932")[0]
    assert told["customer"] == "〓野～髙橋"


def test_the_ledger_of_an_older_month_is_listed_after_the_newer_one(tmp_path: Path) -> None:
    from dataclasses import replace

    settings = settings_in(tmp_path)
    hand_over(placed("old"), settings)
    new = placed("new")
    hand_over(replace(new, at=new.at + timedelta(days=20)), settings)
    listed = files_page(settings).tables[0].rows
    assert [row[3].split("-")[-1] for row in listed] == ["new.json", "old.json"]  # type: ignore[union-attr]
