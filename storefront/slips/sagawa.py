"""Rows for Sagawa's e-Hiden III: its ready-made layout 標準_飛脚宅配便_CSV_ヘッダ有り of 74 columns.

Care stickers (指定シール) are left to the software: it prints only one of the stickers for date and time.
"""

from __future__ import annotations

from storefront.regions import show_postcode
from storefront.slips.addresses import address_parts, fill
from storefront.slips.fields import Column, Row, Sender, Slip, wide

_HALF = {
    "お届け先電話番号": 14,
    "お届け先郵便番号": 8,
    "お客様管理番号": 16,
    "お客様コード": 12,
    "ご依頼主電話番号": 14,
    "ご依頼主郵便番号": 8,
    "出荷個数": 3,
    "クール便指定": 3,
    "配達日": 8,
    "配達指定時間帯": 2,
    "代引金額": 7,
    "消費税": 7,
    "元着区分": 1,
    "出荷日": 8,
    "お問い合せ送り状No.": 12,
}
_WIDE = (
    "お届け先住所1,お届け先住所2,お届け先住所3,お届け先名称1,お届け先名称2,"
    "ご依頼主住所1,ご依頼主住所2,ご依頼主名称1,ご依頼主名称2,品名1"
).split(",")
_NAMES = (
    "お届け先コード取得区分,お届け先コード,お届け先電話番号,お届け先郵便番号,お届け先住所1,お届け先住所2,お届け先住所3,お届け先名称1,お届け先名称2,"
    "お客様管理番号,お客様コード,部署ご担当者コード取得区分,部署ご担当者コード,部署ご担当者名称,荷送人電話番号,ご依頼主コード取得区分,ご依頼主コード,"
    "ご依頼主電話番号,ご依頼主郵便番号,ご依頼主住所1,ご依頼主住所2,ご依頼主名称1,ご依頼主名称2,荷姿,品名1,品名2,品名3,品名4,品名5,荷札荷姿,"
    "荷札品名1,荷札品名2,荷札品名3,荷札品名4,荷札品名5,荷札品名6,荷札品名7,荷札品名8,荷札品名9,荷札品名10,荷札品名11,出荷個数,スピード指定,クール便指定,"
    "配達日,配達指定時間帯,配達指定時間(時分),代引金額,消費税,決済種別,保険金額,指定シール1,指定シール2,指定シール3,営業所受取,SRC区分,"
    "営業所受取営業所コード,元着区分,メールアドレス,ご不在時連絡先,出荷日,お問い合せ送り状No.,出荷場印字区分,集約解除指定,"
    "編集01,編集02,編集03,編集04,編集05,編集06,編集07,編集08,編集09,編集10"
).split(",")
_PUBLISHED = frozenset(
    "お届け先住所1,お届け先住所2,お届け先住所3,お届け先名称1,お届け先名称2,お客様コード,品名1,クール便指定,配達日,配達指定時間帯,元着区分".split(
        ","
    )
)
COLUMNS = tuple(
    Column(name, _HALF.get(name, 32 if name in _WIDE else 0), name in _HALF, name in _PUBLISHED)
    for name in _NAMES
)
COOL = {"normal": "001", "chilled": "002", "frozen": "003"}


def row(slip: Slip, sender: Sender) -> Row:
    """One slip as a row of the file, with what does not fit."""
    made = Row(slip.number, COLUMNS)
    made.put("お届け先電話番号", slip.phone, "phone", needed=True)
    made.put("お届け先郵便番号", show_postcode(slip.postcode), "postcode", needed=True)
    whole = wide(f"{slip.region}{slip.city}{slip.street}")
    parts = address_parts(slip.region, slip.city, slip.street, (16, 16, 16))
    made.spread([f"お届け先住所{place}" for place in (1, 2, 3)], parts, "address", whole)
    name = wide(slip.recipient)
    made.spread(("お届け先名称1", "お届け先名称2"), fill(name, (16, 16)), "recipient", name)
    made.put("お客様管理番号", slip.number, "number", needed=True)
    made.put("お客様コード", sender.sagawa_customer, "customer_code")
    _from(made, sender)
    made.put("品名1", wide(slip.goods), "goods", needed=True)
    made.put("出荷個数", str(slip.parcels), "parcels")
    made.put("クール便指定", COOL[slip.temperature], "temperature")
    if slip.deliver_on is not None:
        made.put("配達日", f"{slip.deliver_on:%Y%m%d}", "deliver_on")
    made.put_slot("sagawa", "配達指定時間帯", slip.slot)
    if slip.collect is not None:
        made.put("代引金額", str(slip.collect), "collect", needed=True)
        made.put("消費税", str(slip.collect_tax), "collect")
    made.put("元着区分", "1", "kind")
    made.put("出荷日", f"{slip.ship_on:%Y%m%d}", "ship_on")
    return made


def _from(made: Row, sender: Sender) -> None:
    made.put("ご依頼主電話番号", sender.phone, "sender_phone", needed=True)
    made.put("ご依頼主郵便番号", show_postcode(sender.postcode), "sender_postcode", needed=True)
    address, name = wide(sender.address), wide(sender.name)
    made.spread(("ご依頼主住所1", "ご依頼主住所2"), fill(address, (16, 16)), "sender_address", address)
    made.spread(("ご依頼主名称1", "ご依頼主名称2"), fill(name, (16, 16)), "sender_name", name)
