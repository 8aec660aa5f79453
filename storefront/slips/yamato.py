"""Rows for Yamato's B2 Cloud: the basic layout of 95 columns, of which those after 55 stay empty.

Layout as published for the import of external data; columns 56 to 95 serve services that the shop does not use.
"""

from __future__ import annotations

from storefront.regions import show_postcode
from storefront.slips.addresses import address_parts, fill, name_parts
from storefront.slips.fields import Column, Row, Sender, Slip, wide

_HALF = {
    "お客様管理番号": 20,
    "送り状種類": 1,
    "クール区分": 1,
    "伝票番号": 12,
    "出荷予定日": 10,
    "お届け予定日": 10,
    "配達時間帯": 4,
    "お届け先コード": 20,
    "お届け先電話番号": 15,
    "お届け先電話番号枝番": 2,
    "お届け先郵便番号": 8,
    "お届け先名(ｶﾅ)": 50,
    "ご依頼主コード": 20,
    "ご依頼主電話番号": 15,
    "ご依頼主電話番号枝番": 2,
    "ご依頼主郵便番号": 8,
    "ご依頼主名(ｶﾅ)": 50,
    "ｺﾚｸﾄ代金引換額(税込)": 7,
    "内消費税額等": 7,
    "発行枚数": 2,
    "個数口表示フラグ": 1,
    "請求先顧客コード": 12,
    "請求先分類コード": 3,
    "運賃管理番号": 2,
}
_FULL = {
    "お届け先住所": 32,
    "お届け先アパートマンション名": 16,
    "お届け先会社・部門1": 25,
    "お届け先会社・部門2": 25,
    "お届け先名": 16,
    "ご依頼主住所": 32,
    "ご依頼主アパートマンション": 16,
    "ご依頼主名": 16,
    "品名1": 25,
}
_NAMES = (
    "お客様管理番号,送り状種類,クール区分,伝票番号,出荷予定日,お届け予定日,配達時間帯,お届け先コード,お届け先電話番号,お届け先電話番号枝番,"
    "お届け先郵便番号,お届け先住所,お届け先アパートマンション名,お届け先会社・部門1,お届け先会社・部門2,お届け先名,お届け先名(ｶﾅ),敬称,"
    "ご依頼主コード,ご依頼主電話番号,ご依頼主電話番号枝番,ご依頼主郵便番号,ご依頼主住所,ご依頼主アパートマンション,ご依頼主名,ご依頼主名(ｶﾅ),"
    "品名コード1,品名1,品名コード2,品名2,荷扱い1,荷扱い2,記事,ｺﾚｸﾄ代金引換額(税込),内消費税額等,止置き,営業所コード,発行枚数,個数口表示フラグ,"
    "請求先顧客コード,請求先分類コード,運賃管理番号,クロネコwebコレクトデータ登録,クロネコwebコレクト加盟店番号,クロネコwebコレクト申込受付番号1,"
    "クロネコwebコレクト申込受付番号2,クロネコwebコレクト申込受付番号3,お届け予定eメール利用区分,お届け予定eメールe-mailアドレス,入力機種,"
    "お届け予定eメールメッセージ,お届け完了eメール利用区分,お届け完了eメールe-mailアドレス,お届け完了eメールメッセージ,クロネコ収納代行利用区分"
).split(",")
_PUBLISHED = frozenset(
    "お客様管理番号,送り状種類,クール区分,出荷予定日,お届け予定日,配達時間帯,お届け先住所,お届け先アパートマンション名,お届け先会社・部門1,"
    "お届け先会社・部門2,お届け先名,個数口表示フラグ,運賃管理番号".split(",")
)
COLUMNS = (
    *(
        Column(name, _HALF.get(name, 2 * _FULL.get(name, 0)), name in _HALF, name in _PUBLISHED)
        for name in _NAMES
    ),
    *(Column(f"予備{place}", 0) for place in range(len(_NAMES) + 1, 96)),
)
COOL = {"normal": "0", "frozen": "1", "chilled": "2"}


def row(slip: Slip, sender: Sender) -> Row:
    """One slip as a row of the file, with what does not fit."""
    made = Row(slip.number, COLUMNS)
    made.put("お客様管理番号", slip.number, "number", needed=True)
    made.put("送り状種類", "0" if slip.collect is None else "2", "kind")
    made.put("クール区分", COOL[slip.temperature], "temperature")
    made.put("出荷予定日", f"{slip.ship_on:%Y/%m/%d}", "ship_on")
    if slip.deliver_on is not None:
        made.put("お届け予定日", f"{slip.deliver_on:%Y/%m/%d}", "deliver_on")
    made.put_slot("yamato", "配達時間帯", slip.slot)
    made.put("お届け先電話番号", slip.phone, "phone", needed=True)
    made.put("お届け先郵便番号", show_postcode(slip.postcode), "postcode", needed=True)
    parts = address_parts(slip.region, slip.city, slip.street, (32, 16))
    whole = wide(f"{slip.region}{slip.city}{slip.street}")
    made.spread(("お届け先住所", "お届け先アパートマンション名"), parts, "address", whole)
    names = ("お届け先会社・部門1", "お届け先会社・部門2", "お届け先名")
    made.spread(names, name_parts(slip.recipient, (25, 25), 16), "recipient", wide(slip.recipient))
    _from(made, sender)
    made.put("品名1", wide(slip.goods), "goods", needed=True)
    _collect(made, slip)
    made.put("発行枚数", str(slip.parcels), "parcels")
    made.put("個数口表示フラグ", "3" if slip.parcels > 1 else "1", "parcels")
    return made


def _from(made: Row, sender: Sender) -> None:
    made.put("ご依頼主電話番号", sender.phone, "sender_phone", needed=True)
    made.put("ご依頼主郵便番号", show_postcode(sender.postcode), "sender_postcode", needed=True)
    whole = wide(sender.address)
    made.spread(
        ("ご依頼主住所", "ご依頼主アパートマンション"), fill(whole, (32, 16)), "sender_address", whole
    )
    made.put("ご依頼主名", wide(sender.name), "sender_name", needed=True)
    made.put("請求先顧客コード", sender.yamato_customer, "customer_code")
    made.put("運賃管理番号", sender.yamato_fare, "fare_number")


def _collect(made: Row, slip: Slip) -> None:
    """What the driver collects. Each printed label of a collect slip would collect it again: one parcel only."""
    if slip.collect is None:
        return
    if slip.parcels > 1:
        made.fail("parcels", "collect", str(slip.parcels))
    made.put("ｺﾚｸﾄ代金引換額(税込)", str(slip.collect), "collect", needed=True)
    made.put("内消費税額等", str(slip.collect_tax), "collect")
