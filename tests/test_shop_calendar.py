"""The shop's calendar: weekends, public holidays, and what closures.csv closes or opens."""

from __future__ import annotations

import os
import shutil
from datetime import date
from pathlib import Path

import pytest

from rules.promise import add_business_days, business_days
from storefront.cli import main
from storefront.own_packages import examples_folder
from storefront.settings import SettingsError, load_settings
from storefront.shop_calendar import CalendarFile, ShopCalendar, has_holidays, read_closures

HEADER = "date,until,open,name_ja,name_en\n"
YEAR_END = HEADER + "2026-12-29,2027-01-04,,年末年始休業,year-end holidays\n"


def calendar(text: str = HEADER) -> ShopCalendar:
    days, findings = read_closures(text.encode())
    assert findings == ()
    return ShopCalendar("JP", days)


def faults(text: str) -> list[str]:
    return [str(finding) for finding in read_closures(text.encode())[1]]


def test_weekends_and_public_holidays_are_closed_with_their_names() -> None:
    shop = calendar()
    assert shop.closed(date(2026, 11, 20)) is None
    saturday, holiday = shop.closed(date(2026, 11, 21)), shop.closed(date(2026, 11, 23))
    assert saturday is not None and saturday.name is None
    assert holiday is not None and holiday.name == {"ja": "勤労感謝の日", "en": "Labor Thanksgiving Day"}


def test_a_substitute_holiday_and_the_holiday_between_two_others_are_known() -> None:
    shop = calendar()
    assert all(shop.closed(day) for day in (date(2026, 5, 6), date(2026, 9, 22)))


def test_a_closure_closes_each_of_its_days_and_the_business_days_around_it_are_counted() -> None:
    shop = calendar(YEAR_END)
    assert add_business_days(date(2026, 12, 28), 1, shop) == date(2027, 1, 5)
    assert list(business_days(date(2026, 12, 24), date(2027, 1, 6), shop)) == [
        date(2026, 12, 24), date(2026, 12, 25), date(2026, 12, 28), date(2027, 1, 5), date(2027, 1, 6),
    ]  # fmt: skip


def test_a_day_can_be_opened_that_the_library_closes() -> None:
    text = HEADER + "2026-11-23,,yes,出荷します,shipping day\n2026-11-28,,yes,土曜出勤,Saturday shift\n"
    assert [calendar(text).closed(date(2026, 11, day)) for day in (23, 28)] == [None, None]
    assert calendar(text).closed(date(2026, 11, 29)) is not None


def test_no_days_after_a_closed_day_is_the_next_business_day() -> None:
    assert add_business_days(date(2026, 11, 21), 0, calendar()) == date(2026, 11, 24)
    assert add_business_days(date(2026, 11, 20), 0, calendar()) == date(2026, 11, 20)


def test_a_calendar_that_never_opens_has_no_business_day_and_comes_to_an_end() -> None:
    class Never:
        def closed(self, day: date) -> object:
            return day

    assert add_business_days(date(2026, 11, 20), 1, Never()) is None  # type: ignore[arg-type]


def test_holidays_of_another_country_are_its_own() -> None:
    assert has_holidays("DE") and not has_holidays("XX")
    assert ShopCalendar("DE").closed(date(2026, 10, 3)) is not None
    assert ShopCalendar("DE").closed(date(2026, 11, 23)) is None


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (HEADER + "2026-13-01,,,休み,closed\n", 2, 'date is "2026-13-01"; write a date like 2026-12-29'),
        (HEADER + "\n12/29,,,休み,closed\n", 3, 'date is "12/29"'),
        (HEADER + "2026-12-29,2026-12-01,,休み,closed\n", 2, "until is 2026-12-01"),
        (HEADER + "2026-12-29,2036-12-29,,休み,closed\n", 2, "0 to 92 days after"),
        (HEADER + "2026-12-29,,open,休み,closed\n", 2, "write yes for a day that is worked"),
        (HEADER + "2026-12-29,,,,\n", 2, "has no name"),
        (HEADER + "2026-12-29,,,休み\n", 2, "4 cells; the header has 5"),
        (YEAR_END + "2026-12-31,,,大晦日,last day\n", 3, "stands in the file twice"),
        ("date,name_ja\n2026-12-29,休み\n", 1, '"name_en" is missing'),
        ("date,name_ja,name_en,shift\n", 1, '"shift" is unknown'),
        (HEADER + '2026-12-29,,,"休み,closed\n', 2, "cannot be read"),
        ("", 1, "has no header line"),
    ],
)
def test_a_wrong_line_is_told_with_file_line_and_what_is_allowed(text: str, line: int, words: str) -> None:
    (told,) = faults(text)
    assert told.startswith(f"closures.csv:{line}: error ")
    assert words in told
    assert read_closures(text.encode())[1][0].said("ja")[0] not in ("", told)


def test_rules_check_tells_a_wrong_line_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(examples_folder() / "starter", tmp_path / "shop")
    folder = str(tmp_path / "shop")
    assert main(["rules", "check", folder]) == 0
    (tmp_path / "shop" / "closures.csv").write_text(HEADER + "2026-12,,,a,b\n", encoding="utf-8")
    assert main(["rules", "check", folder, "--lang", "ja"]) == 1
    assert "closures.csv:2:" in capsys.readouterr().out


def test_a_file_that_is_not_utf8_or_holds_a_nul_is_told() -> None:
    assert "not UTF-8" in str(read_closures("date,休".encode("cp932"))[1][0])
    assert "NUL" in str(read_closures(b"date\0")[1][0])


def test_a_wrong_line_costs_no_other_line() -> None:
    days, findings = read_closures((HEADER + "oops,,,a,b\n2026-12-30,,,休み,closed\n").encode())
    assert set(days) == {date(2026, 12, 30)} and len(findings) == 1


def test_a_changed_file_counts_at_once_and_a_broken_one_leaves_the_days_that_were(tmp_path: Path) -> None:
    path, day = tmp_path / "closures.csv", date(2026, 12, 30)
    file = CalendarFile(tmp_path, "JP")
    assert file.current().closed(day) is None
    path.write_text(YEAR_END, encoding="utf-8")
    assert file.current().closed(day) is not None
    path.write_text(YEAR_END + "2026-1,,,a,b\n", encoding="utf-8")
    assert file.current().closed(day) is not None
    assert [str(each).split(" ")[0] for each in file.findings] == ["closures.csv:3:"]
    path.write_text(HEADER, encoding="utf-8")
    os.utime(path, ns=(1, 1))
    assert file.current().closed(day) is None and file.findings == ()


def test_the_demo_shop_closes_for_bon_and_the_turn_of_the_year_and_opens_one_saturday() -> None:
    days, findings = read_closures((examples_folder() / "neji" / "closures.csv").read_bytes())
    shop = ShopCalendar("JP", days)
    assert findings == ()
    assert [bool(shop.closed(day)) for day in (date(2026, 12, 30), date(2027, 8, 13))] == [True, True]
    assert None in days.values()


def test_a_country_without_known_holidays_is_refused_by_name(tmp_path: Path) -> None:
    for country in ("XX", "Japan", "jp"):
        (tmp_path / "shop.toml").write_text(f'[shop]\ncountry = "{country}"\n', encoding="utf-8")
        with pytest.raises(SettingsError, match="write two letters like JP"):
            load_settings(tmp_path, environ={})
    (tmp_path / "shop.toml").write_text('[shop]\ncountry = "SG"\n', encoding="utf-8")
    assert load_settings(tmp_path, environ={}).country == "SG"
