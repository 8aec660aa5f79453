"""A provider that behaves as real ones do, over a line that fails: for random lives of payments.

Unlike the test provider it takes no money that was not promised, and gives none back that it does not have.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Any

from plugins.contract import Money, PaymentView, Result
from plugins.payments.dummy import Dummy

OPEN = ("requires_action", "pending", "authorized")


class Bank(Dummy):
    """`accidents` happen to the next calls: lost_before, lost_after, html, crossed, or none.

    Of a start, what its `outcome` says comes first.
    """

    def __init__(self, settings: Any) -> None:
        super().__init__(settings)
        self.accidents: deque[str] = deque()
        self.begun: dict[str, list[str]] = {}  # by payment: the keys under which it was begun
        self.other: Result | None = None  # the payment of a stranger, for a crossed answer
        self.is_trusting = True  # leaves it to the shop how much is paid back

    # ---- what goes over the line

    def _over_the_line(self, call: Any) -> Any:
        accident = self.accidents.popleft() if self.accidents else ""
        if accident == "lost_before":
            raise TimeoutError("the line is dead")
        answer = call()
        if accident == "lost_after":
            raise TimeoutError("the answer was lost")
        if accident == "html":
            return "<html>502</html>"
        return replace(self.other, attempt_key=answer.attempt_key) if accident == "crossed" else answer

    def start(self, payment: PaymentView, *, key: str, return_url: str) -> Result:
        return self._over_the_line(lambda: super(Bank, self).start(payment, key=key, return_url=return_url))

    def _accept(self, payment: PaymentView, key: str) -> Result:
        if key not in self.started:
            self.begun.setdefault(payment.id, []).append(key)
        return super()._accept(payment, key)

    def fetch(self, payment: PaymentView) -> Result:
        return self._over_the_line(lambda: super(Bank, self).fetch(payment))

    def capture(self, payment: PaymentView, amount: Money, *, key: str) -> Result:
        def call() -> Result:
            known = self.latest.get(payment.id)
            if known is not None and known.status == "authorized":
                self.latest[payment.id] = replace(known, status="captured", amount=amount)
            return self._as_it_stands(payment, key)

        return self._over_the_line(call)

    def void(self, payment: PaymentView, *, key: str) -> Result:
        def call() -> Result:
            known = self.latest.get(payment.id)
            if known is None:
                return Result("canceled", None, payment.amount, key)
            if known.status in OPEN:
                self.latest[payment.id] = replace(known, status="canceled", redirect_url=None)
            return self._as_it_stands(payment, key)

        return self._over_the_line(call)

    def refund(self, payment: PaymentView, amount: Money, *, key: str, reason: str | None) -> Result:
        return self._over_the_line(lambda: super(Bank, self).refund(payment, amount, key=key, reason=reason))

    def _as_it_stands(self, payment: PaymentView, key: str) -> Result:
        return replace(super().fetch(payment), attempt_key=key)

    def _is_too_much(self, payment: PaymentView, amount: Money, key: str) -> bool:
        known = self.latest.get(payment.id)
        if known is None or known.status != "captured":
            return True
        return not self.is_trusting and self.paid_back(payment.id) + amount.minor > known.amount.minor

    # ---- what happens there

    def status(self, payment_id: str) -> str:
        """Where a payment stands there; empty for one that never arrived."""
        known = self.latest.get(payment_id)
        return str(known.status) if known is not None else ""

    def taken(self, payment_id: str) -> int:
        """The money that was taken of the buyer."""
        known = self.latest.get(payment_id)
        return known.amount.minor if known is not None and known.status == "captured" else 0

    def paid_back(self, payment_id: str) -> int:
        return sum(
            answer.amount.minor
            for owner, answer in self.refunds.values()
            if owner == payment_id and answer.status == "refunded"
        )

    def pay_back_there(self, payment_id: str, minor: int) -> bool:
        """Somebody presses the button on the provider's own page."""
        known = self.latest.get(payment_id)
        if known is None or self.taken(payment_id) - self.paid_back(payment_id) < minor:
            return False
        self.is_trusting = False
        made = replace(known, status="refunded", amount=Money(minor, known.amount.currency))
        self.refunds[f"there-{len(self.refunds)}-{payment_id}"] = (payment_id, made)
        return True
