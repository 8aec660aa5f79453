"""Japan's prefectures as ISO 3166-2 codes with their names, and postcodes as people type them.

Source of codes and names: ISO 3166-2:JP.
"""

import re
import unicodedata

from storefront.language import language

_ROWS = (
    "北海道 Hokkaido,青森県 Aomori,岩手県 Iwate,宮城県 Miyagi,秋田県 Akita,"
    "山形県 Yamagata,福島県 Fukushima,茨城県 Ibaraki,栃木県 Tochigi,群馬県 Gunma,"
    "埼玉県 Saitama,千葉県 Chiba,東京都 Tokyo,神奈川県 Kanagawa,新潟県 Niigata,"
    "富山県 Toyama,石川県 Ishikawa,福井県 Fukui,山梨県 Yamanashi,長野県 Nagano,"
    "岐阜県 Gifu,静岡県 Shizuoka,愛知県 Aichi,三重県 Mie,滋賀県 Shiga,"
    "京都府 Kyoto,大阪府 Osaka,兵庫県 Hyogo,奈良県 Nara,和歌山県 Wakayama,"
    "鳥取県 Tottori,島根県 Shimane,岡山県 Okayama,広島県 Hiroshima,山口県 Yamaguchi,"
    "徳島県 Tokushima,香川県 Kagawa,愛媛県 Ehime,高知県 Kochi,福岡県 Fukuoka,"
    "佐賀県 Saga,長崎県 Nagasaki,熊本県 Kumamoto,大分県 Oita,宮崎県 Miyazaki,"
    "鹿児島県 Kagoshima,沖縄県 Okinawa"
)
REGIONS: dict[str, dict[str, str]] = {
    f"JP-{number:02}": dict(zip(("ja", "en"), row.split(), strict=True))
    for number, row in enumerate(_ROWS.split(","), start=1)
}


def region_name(code: str | None) -> str:
    """A region's name in the reader's language; the code itself when it is not a prefecture."""
    return REGIONS[code][language()] if code in REGIONS else (code or "")


def region_options() -> list[tuple[str, str]]:
    """(code, name) for a select."""
    return [(code, names[language()]) for code, names in REGIONS.items()]


def read_postcode(typed: str) -> str | None:
    """Seven digits from 〒577-0011, 577−0011 or full-width digits; None when it is something else."""
    plain = re.sub(r"[\s〒\-‐-―−ー]", "", unicodedata.normalize("NFKC", typed))
    return plain if re.fullmatch(r"[0-9]{7}", plain) else None


def show_postcode(digits: str) -> str:
    """577-0011."""
    return f"{digits[:3]}-{digits[3:]}" if re.fullmatch(r"[0-9]{7}", digits) else digits
