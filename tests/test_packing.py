"""Packing: nothing is lost, no parcel is beyond the limit unless one piece is, and it is the same every time."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins import Parcel
from storefront.shipping.packing import Limits, Ware, pack, parcels, temperature_of

SIDES = st.tuples(*[st.integers(1, 2_500)] * 3)
WARES = st.lists(
    st.builds(
        Ware,
        st.integers(0, 5_000),
        st.decimals("0.1", 40_000, places=1),
        SIDES,
        st.none() | st.integers(1, 60),
        st.sampled_from(("normal", "chilled", "frozen")),
    ),
    max_size=8,
)
LIMITS = st.builds(Limits, st.integers(1_000, 30_000), st.integers(30, 200), st.integers(20, 170))


@settings(max_examples=120, deadline=None)
@given(WARES, LIMITS)
def test_nothing_is_lost_and_no_parcel_is_beyond_the_limit_unless_one_piece_is(
    wares: list[Ware], limits: Limits
) -> None:
    packed = pack(wares, limits)
    found: Counter[int] = Counter()
    for each in packed:
        for place, number in (each.pieces or {}).items():
            found[place] += number * each.parcel.count
            assert wares[place].temperature == each.parcel.temperature
    assert {place: found[place] for place in range(len(wares))} == {
        place: ware.quantity for place, ware in enumerate(wares)
    }
    for each in packed:
        if each.pieces is None or sum(each.pieces.values()) == 1:
            continue
        assert (each.parcel.weight_g or 0) <= limits.weight_g
        assert (each.parcel.sum_cm or 0) <= limits.sum_cm
        assert (each.parcel.longest_cm or 0) <= limits.longest_cm
    assert pack(wares, limits) == packed


@settings(max_examples=60, deadline=None)
@given(WARES)
def test_every_parcel_has_room_for_what_lies_in_it(wares: list[Ware]) -> None:
    for each in pack(wares):
        if not each.pieces:
            continue
        volume, grams = 0, Decimal(0)
        for place, number in each.pieces.items():
            ware = wares[place]
            assert ware.sides_mm is not None and ware.weight_g is not None
            volume += ware.sides_mm[0] * ware.sides_mm[1] * ware.sides_mm[2] * number
            grams += ware.weight_g * number
            assert max(ware.sides_mm) <= (each.parcel.longest_cm or 0) * 10
        assert (each.parcel.weight_g or 0) >= grams
        assert (
            (each.parcel.sum_cm or 0) * 10 / 3
        ) ** 3 >= volume  # of all boxes with this sum the cube is largest


def test_one_piece_is_as_large_as_it_is() -> None:
    assert parcels([Ware(1, Decimal(900), (300, 200, 95))]) == (Parcel(900, 60, 30),)


def test_a_billion_pieces_are_a_few_records() -> None:
    found = parcels([Ware(10**9, Decimal("1.6"), (10, 4, 4), 100), Ware(7, Decimal(2), (20, 4, 4))])
    assert len(found) <= 4
    assert sum((each.weight_g or 0) * each.count for each in found) >= 1_600_000_014


def test_full_cases_stay_together_where_one_fits() -> None:
    packed = pack([Ware(50, Decimal(700), (100, 100, 100), 12)])
    assert [(dict(each.pieces or {}), each.parcel.count) for each in packed] == [({0: 24}, 2), ({0: 2}, 1)]
    too_heavy = pack([Ware(50, Decimal(700), (100, 100, 100), 40)])
    assert [dict(each.pieces or {}) for each in too_heavy] == [{0: 28}, {0: 22}]


def test_chilled_and_frozen_goods_travel_by_themselves() -> None:
    small = (100, 100, 100)
    found = parcels(
        [
            Ware(1, Decimal(500), small),
            Ware(1, Decimal(500), small, None, "frozen"),
            Ware(1, Decimal(9), small),
        ]
    )
    assert [(each.temperature, each.weight_g) for each in found] == [("normal", 509), ("frozen", 500)]
    assert [temperature_of(tags) for tags in ((), ("chilled",), ("chilled", "frozen"))] == [
        "normal",
        "chilled",
        "frozen",
    ]


@pytest.mark.parametrize(
    ("wares", "parcel"),
    [
        ([Ware(1, None, (1, 1, 1)), Ware(1, Decimal(5))], Parcel()),
        ([Ware(30_000, Decimal("1.4"))], Parcel(14_000, count=3)),
        ([Ware(1, Decimal(5)), Ware(1, Decimal("5.5"), (1, 1, 1))], Parcel(11)),
        ([Ware(1, None, None, None, "frozen")], Parcel(temperature="frozen")),
        ([Ware(2, Decimal(40_000))], Parcel(40_000, count=2)),
        ([], Parcel()),
    ],
)
def test_what_is_not_known_stays_unknown(wares: list[Ware], parcel: Parcel) -> None:
    assert parcels(wares) == (parcel,)
