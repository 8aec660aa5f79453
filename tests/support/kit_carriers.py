"""A shipping provider that keeps every promise of the contract, and others that each break one."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr

from plugins import Config, Money, NeedsQuotation, Quoted, Rate, RateRequest, Unavailable
from plugins.testing import Carrier
from support.meeting import Meeting

SECRET = "sk-ship-very-secret"


class Settings(Config):
    api_key: SecretStr
    days: int = Field(default=1, ge=0, le=30)


class Ship:
    """A shipping provider as it should be."""

    id = "ship"
    label: Any = {"ja": "配送", "en": "Delivery"}  # noqa: RUF012
    config: Any = Settings

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.down = False
        self.asked = 0

    def quote(self, request: RateRequest) -> Quoted:
        if request.destination.country != "JP":
            return Unavailable({"ja": "お届けできません", "en": "We do not deliver there"})
        if sum((parcel.weight_g or 0) * parcel.count for parcel in request.parcels) > 10**6:
            return NeedsQuotation({"ja": "お見積りします", "en": "We make an offer"})
        count = sum(parcel.count for parcel in request.parcels)
        return [
            self.change(Rate("ship", self.label, self.price(request, count), **self.days(request)), request)
        ]

    def price(self, request: RateRequest, count: int) -> Money:
        return Money(500 * count, request.currency)

    def days(self, request: RateRequest) -> dict[str, Any]:
        first = request.ship_on + timedelta(days=self.settings.days)
        return {"earliest": first, "latest": first + timedelta(days=2), "slots": ("09-12", "14-16")}

    def change(self, rate: Rate, request: RateRequest) -> Rate:
        return rate


def carrier(provider: Any = Ship) -> Carrier:
    return Carrier(
        provider,
        {"api_key": SECRET},
        fail=(lambda one: setattr(one, "down", True),),
        wrong_settings={"days": 31},
        secrets=(SECRET,),
    )


BROKEN: dict[type, str] = {}


def breaks(test: str) -> Callable[[type], type]:
    """The test of the kit that must find this one."""

    def note(provider: type) -> type:
        BROKEN[provider] = test
        return provider

    return note


@breaks("test_it_says_what_it_is")
class NoLabelInJapanese(Ship):
    label = {"en": "Delivery"}  # noqa: RUF012


@breaks("test_its_methods_take_what_the_shop_gives")
class WantsMore(Ship):
    def quote(self, request: RateRequest, session: object) -> Quoted:  # type: ignore[override]
        return super().quote(request)


class Open(Config):
    api_token: str = "x"
    api_key: SecretStr | None = None
    days: int = Field(default=1, ge=0, le=30)


@breaks("test_a_wrong_setting_is_refused_by_its_name")
class TokenIsAPlainText(Ship):
    config = Open


@breaks("test_no_secret_stands_in_a_repr_a_rate_or_a_log")
class SecretInTheLabel(Ship):
    def change(self, rate: Rate, request: RateRequest) -> Rate:
        return replace(rate, carrier=self.settings.api_key.get_secret_value())


@breaks("test_building_it_asks_nobody")
class ConnectsInInit(Ship):
    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", 9), 0.1).close()


@breaks("test_nothing_is_kept_in_the_class")
class KeptInTheClass(Ship):
    cache: dict[object, Quoted] = {}  # noqa: RUF012

    def quote(self, request: RateRequest) -> Quoted:
        return self.cache.setdefault(request.parcels, super().quote(request))


@breaks("test_a_parcel_at_home_has_a_rate")
class NeverGoes(Ship):
    def quote(self, request: RateRequest) -> Quoted:
        return Unavailable({"ja": "不可", "en": "No"})


@breaks("test_whatever_is_asked_gets_an_answer_and_no_exception")
class RaisesAbroad(Ship):
    def price(self, request: RateRequest, count: int) -> Money:
        return Money({"JP-27": 500}[str(request.destination.region)], request.currency)


@breaks("test_whatever_is_asked_gets_an_answer_and_no_exception")
class NeedsAWeight(Ship):
    def price(self, request: RateRequest, count: int) -> Money:
        return Money(sum(parcel.weight_g for parcel in request.parcels), request.currency)  # type: ignore[misc]


@breaks("test_whatever_is_asked_gets_an_answer_and_no_exception")
class NothingForNothing(Ship):
    def quote(self, request: RateRequest) -> Quoted:
        return super().quote(request) if request.parcels else None  # type: ignore[return-value]


@breaks("test_what_cannot_be_sent_says_why_in_both_languages")
class NoJapanese(Ship):
    def quote(self, request: RateRequest) -> Quoted:
        quoted = super().quote(request)
        return Unavailable({"en": "no"}) if isinstance(quoted, Unavailable) else quoted


@breaks("test_another_currency_is_refused_or_answered_in_it")
class AlwaysYen(Ship):
    def price(self, request: RateRequest, count: int) -> Money:
        return Money(500, "JPY")


@breaks("test_a_parcel_at_home_has_a_rate")
class FloatPrice(Ship):
    def change(self, rate: Rate, request: RateRequest) -> Rate:
        return replace(rate, price=float(rate.price.minor))  # type: ignore[arg-type]


@breaks("test_a_parcel_at_home_has_a_rate")
class MoneyOfFloat(Ship):
    def price(self, request: RateRequest, count: int) -> Money:
        return Money(500 * 1.1, request.currency)  # type: ignore[arg-type]


@breaks("test_a_parcel_at_home_has_a_rate")
class BelowZero(Ship):
    def price(self, request: RateRequest, count: int) -> Money:
        return Money(-500, request.currency)


@breaks("test_a_parcel_at_home_has_a_rate")
class FloatTax(Ship):
    def change(self, rate: Rate, request: RateRequest) -> Rate:
        return replace(rate, tax_rate=0.1)  # type: ignore[arg-type]


@breaks("test_a_parcel_at_home_has_a_rate")
class TwoOfOneCode(Ship):
    def quote(self, request: RateRequest) -> Quoted:
        quoted = super().quote(request)
        return quoted * 2 if isinstance(quoted, list) else quoted


@breaks("test_a_parcel_at_home_has_a_rate")
class ATimeForADay(Ship):
    def change(self, rate: Rate, request: RateRequest) -> Rate:
        noon = datetime(2026, 11, 22, 12, 0)  # noqa: DTZ001
        return replace(rate, earliest=noon, latest=noon)


@breaks("test_a_parcel_at_home_has_a_rate")
class EverySecondASlot(Ship):
    def change(self, rate: Rate, request: RateRequest) -> Rate:
        return replace(rate, slots=tuple(f"{second}" for second in range(86_400)))


@breaks("test_a_parcel_at_home_has_a_rate")
class OddCutoff(Ship):
    def change(self, rate: Rate, request: RateRequest) -> Rate:
        return replace(rate, cutoff="3 pm")


@breaks("test_a_parcel_at_home_has_a_rate")
class AGenerator(Ship):
    def quote(self, request: RateRequest) -> Quoted:
        quoted = super().quote(request)
        return (rate for rate in quoted)  # type: ignore[return-value, union-attr]


@breaks("test_a_parcel_at_home_has_a_rate")
class LabelIsEmpty(Ship):
    def change(self, rate: Rate, request: RateRequest) -> Rate:
        return replace(rate, label={"ja": " ", "en": "Delivery"})


@breaks("test_the_same_question_has_the_same_answer")
class Moody(Ship):
    def price(self, request: RateRequest, count: int) -> Money:
        self.asked += 1
        return Money(500 + self.asked, request.currency)


@breaks("test_the_same_question_has_the_same_answer")
class AtRandom(Ship):
    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.more = random.randrange(10**9)

    def price(self, request: RateRequest, count: int) -> Money:
        return Money(500 * count + self.more, request.currency)


@breaks("test_the_order_of_parcels_and_lines_changes_nothing")
class LooksAtTheFirst(Ship):
    def price(self, request: RateRequest, count: int) -> Money:
        weight = request.parcels[0].weight_g or 0 if request.parcels else 0
        return Money(500 * count + weight, request.currency)


@breaks("test_eight_threads_get_the_same_answer")
class KeepsTheRequest(Ship):
    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.both_asked = Meeting()

    def quote(self, request: RateRequest) -> Quoted:
        self.request = request
        if threading.active_count() > 6:
            self.both_asked.wait()
        return super().quote(self.request)


@breaks("test_quote_changes_nothing_that_it_is_given")
class ChangesTheRequest(Ship):
    def quote(self, request: RateRequest) -> Quoted:
        object.__setattr__(request, "lines", ())
        return super().quote(request)


@breaks("test_more_parcels_never_cost_less")
class CheaperByTheDozen(Ship):
    def price(self, request: RateRequest, count: int) -> Money:
        return Money(1000 // max(count, 1), request.currency)


@breaks("test_arrival_is_a_window_after_the_goods_leave")
class CountsFromToday(Ship):
    def days(self, request: RateRequest) -> dict[str, Any]:
        return {"earliest": date(2026, 11, 21), "latest": date(2026, 11, 23)}


@breaks("test_arrival_is_a_window_after_the_goods_leave")
class TurnedRound(Ship):
    def days(self, request: RateRequest) -> dict[str, Any]:
        return {
            "earliest": request.ship_on + timedelta(days=5),
            "latest": request.ship_on + timedelta(days=1),
        }


@breaks("test_arrival_is_a_window_after_the_goods_leave")
class ArrivesYesterday(Ship):
    def days(self, request: RateRequest) -> dict[str, Any]:
        return {"latest": request.ship_on - timedelta(days=1)}


@breaks("test_quote_asks_nobody_unless_it_says_over_http")
class AsksAServerSecretly(Ship):
    def price(self, request: RateRequest, count: int) -> Money:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", 9), 0.1).close()
        return super().price(request, count)


@breaks("test_quote_asks_nobody_unless_it_says_over_http")
class ReadsItsTariffEachTime(Ship):
    def price(self, request: RateRequest, count: int) -> Money:
        Path(__file__).read_bytes()
        return super().price(request, count)


@breaks("test_quote_is_quick")
class Slow(Ship):
    def price(self, request: RateRequest, count: int) -> Money:
        threading.Event().wait(0.31)
        return super().price(request, count)


@breaks("test_an_other_side_that_fails_costs_no_order")
class FailsWithItsServer(Ship):
    over_http = True

    def price(self, request: RateRequest, count: int) -> Money:
        if self.down:
            raise ConnectionError("502")
        return super().price(request, count)
