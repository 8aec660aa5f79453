"""Goods into parcels: which pieces go into which box, and what it measures and weighs. Pure and always the same.

A box of several pieces is an estimate: room for their volume and a little more, and for each piece by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from math import isqrt

from plugins.contract import Parcel, Temperature

FILLED = 80  # percent of a box that goods of several pieces fill
TEMPERATURES: tuple[Temperature, ...] = ("normal", "chilled", "frozen")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one parcel may weigh and measure. A single piece beyond it travels in a parcel of its own."""

    weight_g: int = 20_000
    sum_cm: int = 160
    longest_cm: int = 160


USUAL = Limits()


@dataclass(frozen=True, slots=True)
class Ware:
    """Pieces of one product. The sides are those of one piece; None where the shop does not know them."""

    quantity: int
    weight_g: Decimal | None = None
    sides_mm: tuple[int, int, int] | None = None
    per_case: int | None = None  # full cases stay together where one fits
    temperature: Temperature = "normal"


@dataclass(frozen=True, slots=True)
class Packed:
    """`parcel.count` equal parcels, each with so many pieces of the wares by their place.

    `pieces` is None where goods were only weighed together and nobody knows which piece lies where.
    """

    parcel: Parcel
    pieces: Mapping[int, int] | None = None


@dataclass(slots=True)
class _Box:
    """A parcel being filled: exact weight, volume, and the sides each piece needs at least."""

    grams: Decimal = Decimal(0)
    volume: int = 0
    sides: tuple[int, int, int] = (0, 0, 0)
    number: int = 0
    pieces: dict[int, int] = field(default_factory=dict)

    def with_pieces(self, place: int, ware: Ware, number: int) -> _Box:
        assert ware.weight_g is not None
        assert ware.sides_mm is not None
        long, middle, short = sorted(ware.sides_mm, reverse=True)
        return _Box(
            self.grams + ware.weight_g * number,
            self.volume + long * middle * short * number,
            (max(self.sides[0], long), max(self.sides[1], middle), max(self.sides[2], short)),
            self.number + number,
            self.pieces | {place: self.pieces.get(place, 0) + number},
        )

    def sides_mm(self) -> tuple[int, int, int]:
        """The box nearest to a cube that takes the volume and each piece; a single piece is as large as it is."""
        volume = self.volume if self.number == 1 else -(-self.volume * 100 // FILLED)
        long = max(self.sides[0], _cube_root(volume), 1)
        middle = max(self.sides[1], _square_root(-(-volume // long)), 1)
        return long, middle, max(self.sides[2], -(-volume // (long * middle)))

    def parcel(self, temperature: Temperature, count: int = 1) -> Parcel:
        sides = self.sides_mm()
        return Parcel(_whole(self.grams), -(-sum(sides) // 10), -(-max(sides) // 10), temperature, count)

    def fits(self, limits: Limits) -> bool:
        if self.grams > limits.weight_g:
            return False
        sides = self.sides_mm()
        return sum(sides) <= limits.sum_cm * 10 and max(sides) <= limits.longest_cm * 10


def temperature_of(tags: Iterable[str]) -> Temperature:
    """From a product's tags: frozen, chilled, or else normal."""
    found = set(tags)
    return "frozen" if "frozen" in found else "chilled" if "chilled" in found else "normal"


def parcels(wares: Sequence[Ware], limits: Limits = USUAL) -> tuple[Parcel, ...]:
    """What a carrier is asked about."""
    return tuple(each.parcel for each in pack(wares, limits))


def pack(wares: Sequence[Ware], limits: Limits = USUAL) -> tuple[Packed, ...]:
    """Every piece in a parcel, each temperature by itself; a few records for each ware, however many pieces.

    Where a size is unknown the goods are weighed together and parted equally, and without a weight they are one
    parcel nobody knows anything of.
    """
    found: list[Packed] = []
    for temperature in TEMPERATURES:
        group = [
            (place, ware)
            for place, ware in enumerate(wares)
            if ware.temperature == temperature and ware.quantity > 0
        ]
        if any(ware.weight_g is None for _, ware in group):
            found.append(Packed(Parcel(temperature=temperature)))
        elif any(ware.sides_mm is None for _, ware in group):
            found += [Packed(each) for each in _weighed([ware for _, ware in group], temperature, limits)]
        else:
            found += _boxes(group, temperature, limits)
    return tuple(found) or (Packed(Parcel()),)


def _weighed(wares: Sequence[Ware], temperature: Temperature, limits: Limits) -> list[Parcel]:
    """Pieces too heavy for any parcel each by itself, all others in equal parcels."""
    known = [(ware.weight_g, ware.quantity) for ware in wares if ware.weight_g is not None]
    heavy = [
        Parcel(_whole(weight), temperature=temperature, count=quantity)
        for weight, quantity in known
        if weight > limits.weight_g
    ]
    grams = sum((weight * quantity for weight, quantity in known if weight <= limits.weight_g), Decimal(0))
    if heavy and not grams:
        return heavy
    count = max(1, _whole(grams / limits.weight_g))
    return [*heavy, Parcel(_whole(grams / count), temperature=temperature, count=count)]


def _boxes(group: Sequence[tuple[int, Ware]], temperature: Temperature, limits: Limits) -> list[Packed]:
    """Full parcels of one ware first; what is left of each goes into the first box with room, the largest first."""
    full: list[Packed] = []
    rests: list[tuple[int, Ware, int]] = []
    for place, ware in group:
        most = _most(place, ware, ware.quantity, limits)
        count, rest = divmod(ware.quantity, most)
        if most == ware.quantity:  # all in one parcel, where there may be room for others
            count, rest = 0, most
        if count:
            box = _Box().with_pieces(place, ware, most)
            full.append(Packed(box.parcel(temperature, count), box.pieces))
        while rest:  # its full cases, then what is loose
            part = _most(place, ware, rest, limits)
            rests.append((place, ware, part))
            rest -= part
    rests.sort(
        key=lambda each: (-_Box().with_pieces(*each).volume, -(each[1].weight_g or 0) * each[2], each[0])
    )
    open_boxes: list[_Box] = []
    for place, ware, rest in rests:
        for at, box in enumerate(open_boxes):
            if box.grams + (ware.weight_g or 0) * rest > limits.weight_g:
                continue  # most are full: seen at once
            more = box.with_pieces(place, ware, rest)
            if more.fits(limits):
                open_boxes[at] = more
                break
        else:
            open_boxes.append(_Box().with_pieces(place, ware, rest))
    return full + [Packed(box.parcel(temperature), box.pieces) for box in open_boxes]


def _most(place: int, ware: Ware, high: int, limits: Limits) -> int:
    """The most pieces in one parcel, in full cases where one fits; at least one piece."""

    def fits(number: int) -> bool:
        return _Box().with_pieces(place, ware, number).fits(limits)

    low = 1
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    cased = low - low % (ware.per_case or 1)
    return cased if cased and fits(cased) else low


def _whole(number: Decimal) -> int:
    return int(number.to_integral_value(ROUND_CEILING))


def _square_root(number: int) -> int:
    """Rounded up."""
    return isqrt(number - 1) + 1 if number > 0 else 0


def _cube_root(number: int) -> int:
    """Rounded up, in whole numbers: a float would differ between machines."""
    low, high = 0, 1 << (number.bit_length() // 3 + 1)
    while low < high:
        middle = (low + high) // 2
        if middle**3 < number:
            low = middle + 1
        else:
            high = middle
    return low
