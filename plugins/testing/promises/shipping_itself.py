"""Promises about a shipping provider itself: what it says it is, its settings, its secrets, and what it keeps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from plugins.testing.asking import kept, wrong_signature
from plugins.testing.carrier import Carrier
from plugins.testing.promises.itself import (
    answer_or_error,
    builds_alone,
    everything_said,
    no_secret_in,
    says_what_it_is,
    shares_nothing,
    taken_by_a_shop,
    wrong_setting,
)
from plugins.testing.subject import MissingPartError


def test_it_says_what_it_is(carrier: Carrier) -> None:
    says_what_it_is(carrier.fresh())


def test_its_methods_take_what_the_shop_gives(carrier: Carrier) -> None:
    wrong = wrong_signature(carrier.fresh(), "quote", carrier.request())
    kept(not wrong, "quote takes the request", "write def quote(self, request)", came=wrong or "")


def test_a_wrong_setting_is_refused_by_its_name(carrier: Carrier) -> None:
    wrong_setting(carrier.provider, carrier.given(), carrier.wrong_settings)


def test_no_secret_stands_in_a_repr_a_rate_or_a_log(carrier: Carrier) -> None:
    secrets = carrier.every_secret()
    if not secrets:
        raise MissingPartError(
            "give the kit Carrier.secrets to run this test, or a setting that is a SecretStr"
        )

    def life(heard: Callable[[object], None]) -> None:
        for fail in (None, *carrier.fail):
            provider = carrier.fresh()
            if fail is not None:
                fail(provider)
            heard(provider)
            heard({name: value for name, value in vars(provider).items() if not name.startswith("_")})
            heard(answer_or_error(partial(provider.quote, carrier.request())))

    no_secret_in(everything_said(life), secrets)


def test_building_it_asks_nobody(carrier: Carrier) -> None:
    builds_alone(carrier.provider, carrier.given())


def test_nothing_is_kept_in_the_class(carrier: Carrier) -> None:
    shares_nothing(carrier.fresh(), lambda provider: provider.quote(carrier.request()))


def test_an_installed_shop_takes_it(carrier: Carrier) -> None:
    taken_by_a_shop(carrier.fresh().id, carrier.provider, carrier.given())
