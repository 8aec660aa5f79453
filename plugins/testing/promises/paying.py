"""What the tests of a payment provider share: starting one, having one paid, and asking what became of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from plugins.contract import Capability, Money, PaymentProvider, PaymentView, Result
from plugins.testing.asking import answer, fault_of, kept, well
from plugins.testing.subject import RETURN_URL, MissingPartError, Subject, after, key_of

ONCE = "send the key to the other side as its idempotency key, or remember the answer under it, behind a lock"
TRUTH = "ask the other side in fetch, each time; keep no answer of your own"
DECLINE = (
    "a declined payment is an answer: Result('failed', ..., buyer_message={'ja': ..., 'en': ...}, code=...)"
)


def ask(provider: PaymentProvider, what: str, view: PaymentView, *given: Any, **named: Any) -> Any:
    """What a method answers about a payment, within the shop's deadline."""
    method: Callable[..., Any] = getattr(provider, what)
    return well(lambda: method(view, *given, **named), what)


def start_or_raise(provider: PaymentProvider, view: PaymentView) -> Result:
    """The same for start, where the other side was made to fail: the provider's own exception passes."""
    key = key_of(view)
    given = answer(lambda: provider.start(view, key=key, return_url=RETURN_URL), "start")
    return told(given, "start", key)


def told(result: object, what: str, key: str | None = None) -> Result:
    """The same result, when it is a whole one."""
    wrong = fault_of(result, key)
    kept(
        not wrong,
        f"{what} answers with a whole plugins.Result for the attempt it was given",
        "Result(status, provider_ref, amount, key, ...): the shop puts aside what it cannot believe",
        came=wrong or "",
    )
    assert isinstance(result, Result)
    return result


def start(provider: PaymentProvider, view: PaymentView, number: int = 1) -> Result:
    key = key_of(view, number=number)
    return told(ask(provider, "start", view, key=key, return_url=RETURN_URL), "start", key)


def fetch(provider: PaymentProvider, view: PaymentView) -> Result:
    return told(ask(provider, "fetch", view), "fetch")


def change(
    provider: PaymentProvider, what: str, view: PaymentView, amount: Money | None = None, number: int = 1
) -> Result:
    """What `capture`, `void` or `refund` answers."""
    key = key_of(view, what, number)
    given = () if amount is None else (amount,)
    more = {"reason": None} if what == "refund" else {}
    return told(ask(provider, what, view, *given, key=key, **more), what, key)


def started(subject: Subject, view: PaymentView | None = None) -> tuple[PaymentProvider, PaymentView, Result]:
    provider = subject.fresh()
    view = view or subject.ordinary()
    result = start(provider, view)
    return provider, after(view, result), result


def authorized(subject: Subject) -> tuple[PaymentProvider, PaymentView]:
    """A payment that is promised and not taken; left out for a provider that takes at once."""
    provider, view, result = started(subject)
    if Capability.OFFLINE in provider.capabilities or result.status in ("authorized", "captured"):
        now = result
    elif subject.pay is not None:
        subject.pay(provider, view)
        now = fetch(provider, view)
    else:
        now = result
    if now.status == "captured":
        raise MissingPartError("only for a provider that authorizes first and takes the money later")
    return provider, after(view, now)


def promised(subject: Subject) -> tuple[PaymentProvider, PaymentView]:
    """The same, and the buyer has agreed, so that it can be captured."""
    provider, view = authorized(subject)
    if view.state != "authorized" and not is_offline(provider):
        raise MissingPartError("give the kit a Subject.pay after which fetch says authorized")
    return provider, view


def captured(subject: Subject) -> tuple[PaymentProvider, PaymentView]:
    """A payment that is captured; left out for a provider that can neither capture nor be paid."""
    provider, view, result = started(subject)
    if result.status == "captured":
        return provider, view
    if subject.pay is not None:
        subject.pay(provider, view)
        result = fetch(provider, view)
        kept(
            result.status in ("captured", "authorized"),
            "fetch says captured, or authorized, once the buyer has paid",
            "ask the other side in fetch, each time; an answer kept from start is old",
            came=f"the buyer paid, and fetch says {result.status}",
        )
    if result.status != "captured" and Capability.CAPTURE in provider.capabilities:
        result = change(provider, "capture", after(view, result), view.amount)
    if result.status != "captured":
        raise MissingPartError("give the kit Subject.pay, so that a payment can be captured")
    return provider, after(view, result)


def is_offline(provider: PaymentProvider) -> bool:
    return Capability.OFFLINE in provider.capabilities


def third(amount: Money) -> Money:
    return Money(max(amount.minor // 3, 1), amount.currency)


def needs(provider: PaymentProvider, capability: Capability, *, moving: bool = False) -> None:
    if capability not in provider.capabilities:
        raise MissingPartError(f"only for a provider with Capability.{capability.name}")
    if moving and is_offline(provider):
        raise MissingPartError("nothing moves over this provider: the shop's own table of moves refuses")


def all_given_back(provider: PaymentProvider, view: PaymentView, minor: int, status: str) -> None:
    if is_offline(provider) or status != "refunded":
        return  # nobody but the owner knows; or it is still under way
    found = fetch(provider, view)
    kept(
        found.status == "refunded" and found.amount.minor == minor,
        "after a refund fetch answers refunded, with all that was given back so far",
        "add up the refunds at the other side; " + ONCE,
        came=f"{minor} were given back, fetch says {found.status} {found.amount.minor}",
    )
