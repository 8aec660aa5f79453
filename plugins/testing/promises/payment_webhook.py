"""Promises about webhooks: only what the provider signed just now is believed; it names an event and a payment."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from plugins.answers import bad_events
from plugins.contract import PaymentProvider, PaymentView, RawRequest, SignatureError, WebhookEvent
from plugins.testing.asking import all_at_once, answer, kept
from plugins.testing.promises.paying import started
from plugins.testing.subject import NOW, Subject

VERIFY = (
    "compare hmac.compare_digest(expected.encode(), given.encode()) over raw.body as it came, before anything is read, "
    "and raise plugins.SignatureError otherwise"
)
TIME = "sign the time with the body, and refuse abs(raw.received_at.timestamp() - signed) > 300"


def webhook(
    subject: Subject, kind: str = "known", ago: int = 0
) -> tuple[PaymentProvider, PaymentView, RawRequest]:
    build = subject.part("webhook")
    provider, view, _result = started(subject)
    raw = build(provider, view, NOW - timedelta(seconds=ago), kind)
    headers = {name.lower(): value for name, value in raw.headers.items()}
    return provider, view, replace(raw, headers=headers, received_at=NOW)


def events(provider: PaymentProvider, raw: RawRequest, what: str = "a genuine webhook") -> list[WebhookEvent]:
    try:
        found = answer(lambda: provider.parse_webhook(raw), "parse_webhook")
    except SignatureError as error:
        kept(
            False, f"{what} is not refused", VERIFY + "; header names come in small letters", came=repr(error)
        )
        raise
    except AssertionError:
        raise
    except Exception as error:
        kept(
            False,
            f"{what} is answered with a list of events, which may be empty",
            "return [] for what you cannot read or do not know: the provider would send it again for days",
            came=repr(error),
        )
        raise
    wrong = bad_events(found)
    kept(not wrong, "parse_webhook answers a list of plugins.WebhookEvent", "return [...]", came=wrong or "")
    return found  # type: ignore[no-any-return]


def refused(provider: PaymentProvider, raw: RawRequest, what: str) -> bool:
    try:
        answer(lambda: provider.parse_webhook(raw), "parse_webhook")
    except SignatureError:
        return True
    except AssertionError:
        raise
    except Exception as error:
        kept(
            False,
            f"{what} is refused with plugins.SignatureError, and by no other exception",
            "compare bytes, not text (compare_digest raises for é), and check before you convert (int('²') raises)",
            came=repr(error),
        )
    return False


def test_a_webhook_names_the_payment_and_the_event(subject: Subject) -> None:
    provider, view, raw = webhook(subject)
    found = events(provider, raw)
    kept(
        len(found) == 1 and found[0].event_id and found[0].provider_ref == view.provider_ref,
        "a webhook about a payment gives one event, with its id and the payment's reference",
        "WebhookEvent(event_id, provider_ref, kind): the id is the provider's, the reference that of start",
        came=found,
    )
    again = events(provider, raw)
    kept(
        again == found,
        "the same webhook is the same event, each time it comes",
        "take the id from the message; remember nothing: the shop knows which events it has seen",
        came=f"{found}, then {again}",
    )


def test_a_webhook_that_comes_eight_times_at_once_is_one_event(subject: Subject) -> None:
    provider, _view, raw = webhook(subject)
    found = all_at_once(lambda: events(provider, raw) for _ in range(8))
    kept(
        all(each == found[0] for each in found) and found[0],
        "a webhook that comes eight times at once is one event, with one id",
        "take the id from the message, and keep nothing between calls",
        came=found,
    )


def test_a_tampered_or_unsigned_webhook_is_refused(subject: Subject) -> None:
    provider, _view, raw = webhook(subject)
    events(provider, raw)  # the control: as it is, it is taken
    turned = bytes([raw.body[0] ^ 1]) + raw.body[1:]
    forgeries = {
        "a changed body": replace(raw, body=turned),
        "a body with a blank more": replace(raw, body=raw.body + b" "),
        "a body in other words": replace(
            raw, body=raw.body.replace(b":", b": ", 1).replace(b"1", b"2", 1) + b"\n"
        ),
        "an empty body": replace(raw, body=b""),
        "a webhook without a signature": replace(raw, headers={}),
        "a webhook with empty headers": replace(raw, headers=dict.fromkeys(raw.headers, "")),
        "a reversed signature": replace(
            raw, headers={name: text[::-1] for name, text in raw.headers.items()}
        ),
        "half a signature": replace(
            raw, headers={name: text[: len(text) // 2] for name, text in raw.headers.items()}
        ),
        "a signature with an é": replace(
            raw, headers={name: text + "é" for name, text in raw.headers.items()}
        ),
        "a signature of ² and é": replace(
            raw, headers={name: re.sub(r"[0-9]", "²", text) for name, text in raw.headers.items()}
        ),
    }
    for what, forged in forgeries.items():
        kept(refused(provider, forged, what), f"{what} is refused", VERIFY, came="it was taken")


def test_an_old_webhook_and_one_of_the_future_are_refused(subject: Subject) -> None:
    for ago, when in ((301, "301 s ago"), (-301, "301 s ahead"), (86_400, "a day ago")):
        provider, _view, raw = webhook(subject, ago=ago)
        kept(
            refused(provider, raw, f"a webhook signed {when}"),
            f"a webhook signed {when} is refused",
            TIME,
            came="it was taken",
        )
    for ago in (299, -299):
        provider, _view, raw = webhook(subject, ago=ago)
        kept(
            not refused(provider, raw, "a webhook of a moment ago"),
            "a webhook signed within 300 s is taken: clocks differ a little",
            TIME + "; raw.received_at is the clock, not time.time()",
            came=f"signed {ago} s ago, it was refused",
        )


def test_the_time_of_a_webhook_is_signed_with_it(subject: Subject) -> None:
    provider, _view, raw = webhook(subject, ago=600)
    old, now = str(int((NOW - timedelta(seconds=600)).timestamp())), str(int(NOW.timestamp()))
    headers = {name: text.replace(old, now) for name, text in raw.headers.items()}
    if headers == raw.headers:
        return  # the time stands in the body, which is signed
    again = replace(raw, headers=headers)
    kept(
        refused(provider, again, "an old webhook with a new time written on it"),
        "an old webhook with a new time written on it is refused",
        "sign f'{time}.'.encode() + raw.body, not the body alone",
        came="it was taken",
    )


def test_a_signed_webhook_that_is_no_json_or_of_an_unknown_kind_says_nothing(subject: Subject) -> None:
    for kind, what in (
        ("unknown", "a webhook of an unknown kind"),
        ("no_json", "a signed body that is no JSON"),
    ):
        provider, _view, raw = webhook(subject, kind)
        found = events(provider, raw, what)
        kept(
            found == [],
            f"{what} says nothing, and is answered 2xx",
            "return []: an exception or a refusal would bring it again for days",
            came=found,
        )
