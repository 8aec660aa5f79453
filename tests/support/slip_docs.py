"""Makes the tables of slip fields in docs/shipping.md from the columns that are written; run it to write them anew."""

from pathlib import Path

from storefront.slips import CARRIERS, Carrier
from storefront.slips.fields import Column

PAGE = Path(__file__).resolve().parents[2] / "docs" / "shipping.md"
BEGIN, END = "<!-- fields: made by tests/support/slip_docs.py -->", "<!-- end of fields -->"
HELD = {
    "お客様管理番号": "the order number, by which the tracking number is read back",
    "送り状種類": "`0` prepaid, `2` collect",
    "クール区分": "`0` none, `1` frozen, `2` chilled",
    "クール便指定": "`001` none, `002` chilled, `003` frozen",
    "伝票番号": "empty; the carrier's software fills it in",
    "お問い合せ送り状No.": "empty; the carrier's software fills it in",
    "出荷予定日": "the day it leaves, `2026/11/24`",
    "お届け予定日": "the wished day, `2026/11/26`",
    "出荷日": "the day it leaves, `20261124`",
    "配達日": "the wished day, `20261126`",
    "配達時間帯": "the code of the time of day, below",
    "配達指定時間帯": "the code of the time of day, below",
    "お届け先電話番号": "phone",
    "お届け先郵便番号": "postcode, `577-0000`",
    "お届け先住所": "prefecture, city, street, number",
    "お届け先アパートマンション名": "the building, or what goes over",
    "お届け先住所1": "prefecture, city, street, number",
    "お届け先住所2": "what goes over",
    "お届け先住所3": "the building, or what goes over",
    "お届け先会社・部門1": "a long name's first part",
    "お届け先会社・部門2": "a long name's second part",
    "お届け先名": "the name, or its last part",
    "お届け先名称1": "the name",
    "お届け先名称2": "what goes over",
    "ご依頼主電話番号": "the sender's phone",
    "ご依頼主郵便番号": "the sender's postcode",
    "ご依頼主住所": "the sender's address",
    "ご依頼主アパートマンション": "what goes over",
    "ご依頼主住所1": "the sender's address",
    "ご依頼主住所2": "what goes over",
    "ご依頼主名": "the sender's name",
    "ご依頼主名称1": "the sender's name",
    "ご依頼主名称2": "what goes over",
    "品名1": "the contents",
    "ｺﾚｸﾄ代金引換額(税込)": "what the driver collects, with tax, in yen",
    "内消費税額等": "the tax in it",
    "代引金額": "what the driver collects, with tax, in yen",
    "消費税": "the tax in it",
    "発行枚数": "parcels",
    "出荷個数": "parcels",
    "個数口表示フラグ": "`1`; `3` with several parcels",
    "元着区分": "`1`, prepaid",
    "請求先顧客コード": "`yamato_customer`",
    "運賃管理番号": "`yamato_fare`",
    "お客様コード": "`sagawa_customer`",
}


def _row(place: int, column: Column) -> str:
    limit = f"{column.limit} half" if column.half else f"{column.limit // 2} full"
    source = "published" if column.published else "check"
    return f"| {place} | {column.name} | {limit} | {HELD[column.name]} | {source} |"


def table_of(carrier: Carrier) -> list[str]:
    """The fields that are written or read; those left empty in one sentence."""
    places = list(enumerate(carrier.columns, 1))
    used = [(place, column) for place, column in places if column.name in HELD]
    empty = [
        f"{place} {column.name}"
        for place, column in places
        if column.name not in HELD and "予備" not in column.name
    ]
    rest = sum("予備" in column.name for _place, column in places)
    more = f", and the {rest} columns after them" if rest else ""
    return [
        f"### {carrier.label['en']}, {carrier.software}: {len(carrier.columns)} columns",
        "",
        "| column | field | at most | holds | limit |",
        "|---|---|---|---|---|",
        *(_row(place, column) for place, column in used),
        "",
        f"Left empty: {', '.join(empty)}{more}.",
        "",
    ]


def tables() -> str:
    lines = [BEGIN, ""]
    for carrier in CARRIERS.values():
        lines += table_of(carrier)
    return "\n".join([*lines, END])


def main() -> None:
    page = PAGE.read_text("utf-8")
    PAGE.write_text(page.split(BEGIN)[0] + tables() + page.split(END)[-1], "utf-8")


if __name__ == "__main__":
    main()
