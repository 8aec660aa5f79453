"""Money: Decimal unit prices in, int minor units out; rounding, currency exponents, fair shares.

Never a float. Amounts are ints in the currency's minor unit (yen, cents); unit prices are Decimals in major units.
"""

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from functools import lru_cache

# Wide enough that quantity x unit price (9 + 18 digits) is exact and a division never meets a false half.
EXACT = Context(prec=80)

ROUNDINGS = {
    "half_up": ROUND_HALF_UP,
    "half_even": ROUND_HALF_EVEN,
    "floor": ROUND_FLOOR,
    "ceil": ROUND_CEILING,
}

# ISO 4217: minor-unit digits that are not 2. Source: ISO 4217 maintenance agency, list one.
_EXPONENTS = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}
_TWO_DIGITS = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF "
    "CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG "
    "HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR "
    "MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD "
    "SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG "
    "YER ZAR ZMW ZWG"
).split()
CURRENCIES = {**dict.fromkeys(_TWO_DIGITS, 2), **_EXPONENTS}
_SYMBOLS = {"JPY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "KRW": "₩", "CNY": "CN¥"}


@lru_cache(maxsize=64)
def unit(currency: str) -> Decimal:
    """The minor unit as a Decimal: Decimal("1") for JPY, Decimal("0.01") for GBP. KeyError for an unknown code."""
    return Decimal(1).scaleb(-CURRENCIES[currency])


def symbol(currency: str) -> str:
    """The sign before an amount: ¥, or the code and a space that does not break where there is none."""
    return _SYMBOLS.get(currency, f"{currency}\u00a0")


def to_minor(amount: Decimal, currency: str, rounding: str = "half_up") -> int:
    """A major-unit amount as int minor units, rounded once. Half is away from zero."""
    return int(amount.scaleb(CURRENCIES[currency], EXACT).quantize(Decimal(1), ROUNDINGS[rounding], EXACT))


def percent_of(amount: Decimal, percent: Decimal) -> Decimal:
    """So many hundredths of an amount, exact."""
    return EXACT.divide(EXACT.multiply(amount, percent), Decimal(100))


def to_major(minor: int, currency: str) -> Decimal:
    """Int minor units as a Decimal in major units with exactly the currency's decimals."""
    return Decimal(minor).scaleb(-CURRENCIES[currency])


def amount_text(minor: int, currency: str) -> str:
    """ "4680" for JPY, "46.80" for GBP: exactly the currency's decimals, no exponent."""
    digits = CURRENCIES[currency]
    if not digits:
        return str(minor)
    sign, whole = ("-", -minor) if minor < 0 else ("", minor)
    return f"{sign}{whole // 10**digits}.{whole % 10**digits:0{digits}d}"


def plain(value: Decimal) -> str:
    """A Decimal without trailing zeros and without an exponent: "78", "97.5", "0.0001"."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def rate_text(rate: Decimal) -> str:
    """A tax rate with at least two decimals: "0.10", "0.00", "0.0825"."""
    text = plain(rate)
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction:0<2}"


def round_to(value: Decimal, step: Decimal, mode: str) -> Decimal:
    """The multiple of `step` that `mode` chooses; half_up is away from zero at the half."""
    units = EXACT.divide(value, step).quantize(Decimal(1), ROUNDINGS[mode], EXACT)
    return EXACT.multiply(units, step)


def round_fraction(value: Fraction, mode: str) -> int:
    """An exact fraction as an int; used where a sum has several denominators."""
    whole, rest = divmod(value.numerator, value.denominator)
    if mode == "floor" or not rest:
        return whole
    if mode == "ceil":
        return whole + 1
    twice = 2 * rest - value.denominator
    if mode == "half_even" and twice == 0:
        return whole + (whole & 1)
    return whole + (twice > 0 or (twice == 0 and value > 0))


def share(total: int, weights: Sequence[int], names: Sequence[str]) -> list[int]:
    """Split `total` in proportion to `weights` by largest remainder; ties go to the larger weight, then the name.

    Floors first, the missing units one by one (rule-semantics 112). Weights that sum to 0 share nothing.
    """
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    floors = [total * weight // whole for weight in weights]
    order = sorted(
        range(len(weights)),
        key=lambda i: (-((total * weights[i]) % whole), -weights[i], names[i]),
    )
    for place in order[: total - sum(floors)]:
        floors[place] += 1
    return floors
