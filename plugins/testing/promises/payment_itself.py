"""Promises about a payment provider itself: what it says it is, its settings, its secrets, and what it keeps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from plugins.contract import Capability, RawRequest
from plugins.testing.asking import kept, wrong_signature
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
from plugins.testing.promises.paying import ask, fetch, started
from plugins.testing.subject import (
    NOW,
    RETURN_URL,
    MissingPartError,
    Subject,
    context,
    key_of,
    payment,
)


def test_it_says_what_it_is(subject: Subject) -> None:
    provider = subject.fresh()
    says_what_it_is(provider)
    kept(
        isinstance(provider.capabilities, Capability) and provider.capabilities,
        "capabilities is a plugins.Capability that names something",
        "write capabilities = Capability.CAPTURE | Capability.REFUND, or Capability.OFFLINE when nothing moves",
        came=provider.capabilities,
    )
    for part, whole in (("PARTIAL_REFUND", "REFUND"), ("PARTIAL_CAPTURE", "CAPTURE")):
        kept(
            Capability[part] not in provider.capabilities or Capability[whole] in provider.capabilities,
            f"who can {part} can {whole}",
            f"add Capability.{whole}",
            came=provider.capabilities,
        )


def test_its_methods_take_what_the_shop_gives(subject: Subject) -> None:
    provider, view = subject.fresh(), payment()
    ctx, key = context(view.amount), key_of(view)
    calls: dict[str, tuple[tuple[object, ...], dict[str, object]]] = {
        "availability": ((ctx,), {}),
        "fee": ((ctx,), {}),
        "start": ((view,), {"key": key, "return_url": RETURN_URL}),
        "fetch": ((view,), {}),
        "capture": ((view, view.amount), {"key": key}),
        "void": ((view,), {"key": key}),
        "refund": ((view, view.amount), {"key": key, "reason": None}),
        "parse_webhook": ((RawRequest("POST", {}, b"", NOW),), {}),
    }
    wrong = {
        method: found
        for method, (given, named) in calls.items()
        if (found := wrong_signature(provider, method, *given, **named))
    }
    kept(
        not wrong,
        "every method takes what the shop gives",
        "copy the signatures of PaymentProvider",
        came=wrong,
    )


def test_a_wrong_setting_is_refused_by_its_name(subject: Subject) -> None:
    wrong_setting(subject.provider, subject.given(), subject.wrong_settings)


def test_no_secret_stands_in_a_repr_a_result_or_a_log(subject: Subject) -> None:
    secrets = subject.every_secret()
    if not secrets:
        raise MissingPartError(
            "give the kit Subject.secrets to run this test, or a setting that is a SecretStr"
        )
    no_secret_in(everything_said(lambda heard: _life(subject, heard)), secrets)


def _life(subject: Subject, heard: Callable[[object], None]) -> None:
    """One payment from start to refund, well and badly, with everything said put into `heard`."""
    provider, view, result = started(subject)
    heard(provider)
    heard({name: value for name, value in vars(provider).items() if not name.startswith("_")})
    heard(result)
    heard(fetch(provider, view))
    calls: tuple[tuple[str, tuple[object, ...]], ...] = (
        ("capture", (view.amount,)),
        ("void", ()),
        ("refund", (view.amount,)),
    )
    for what, given in calls:
        more = {"reason": "kit"} if what == "refund" else {}
        key = key_of(view, what)
        heard(answer_or_error(partial(ask, provider, what, view, *given, key=key, **more)))
    heard(answer_or_error(lambda: provider.parse_webhook(RawRequest("POST", {}, b"{}", NOW))))
    if subject.webhook is not None:
        raw = subject.webhook(provider, view, NOW, "known")
        forged = {name: value[::-1] for name, value in raw.headers.items()}
        heard(answer_or_error(lambda: provider.parse_webhook(RawRequest("POST", forged, raw.body, NOW))))
    for part in (subject.decline, subject.lose_answer):
        if part is not None:
            provider, another = subject.fresh(), subject.ordinary()
            part(provider)
            key = key_of(another)
            heard(answer_or_error(partial(provider.start, another, key=key, return_url=RETURN_URL)))


def test_building_it_asks_nobody(subject: Subject) -> None:
    builds_alone(subject.provider, subject.given())


def test_nothing_is_kept_in_the_class(subject: Subject) -> None:
    def live(provider: Any) -> None:
        view = subject.ordinary()
        ask(provider, "start", view, key=key_of(view), return_url=RETURN_URL)
        ask(provider, "fetch", view)

    shares_nothing(subject.fresh(), live)


def test_an_installed_shop_takes_it(subject: Subject) -> None:
    taken_by_a_shop(subject.fresh().id, subject.provider, subject.given())
