"""Payment in advance into the shop's own bank account; the owner confirms that the money has arrived.

No network: a payment stays pending until the owner captures it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pydantic import Field

from plugins import (
    Availability,
    Available,
    Capability,
    CheckoutContext,
    Config,
    Money,
    PaymentProvider,
    PaymentView,
    RawRequest,
    Result,
    TaxedMoney,
    WebhookEvent,
    hookimpl,
)

PLUGIN_API = 1


class Settings(Config):
    bank: str = Field(
        min_length=1,
        description="the name of the bank, as buyers read it",
        json_schema_extra={"ja": "銀行名。購入者が読むとおりに"},
    )
    branch: str = Field(
        min_length=1, description="the name of the branch", json_schema_extra={"ja": "支店名"}
    )
    account_type: str = Field(
        default="普通", description="such as 普通 or 当座", json_schema_extra={"ja": "普通、当座など"}
    )
    account: str = Field(min_length=1, description="the account number", json_schema_extra={"ja": "口座番号"})
    holder: str = Field(
        min_length=1,
        description="whose account it is, as the bank writes it",
        json_schema_extra={"ja": "口座名義。銀行の書き方で"},
    )
    pay_within_days: int = Field(
        default=7,
        ge=1,
        le=90,
        description="an order that is not paid by then is cancelled",
        json_schema_extra={"ja": "この日数までに入金がない注文は取り消されます"},
    )
    timezone: str = Field(
        default="Asia/Tokyo",
        description="in which the last day ends",
        json_schema_extra={"ja": "期限の日が終わる時間帯"},
    )


class BankTransfer:
    id = "bank_transfer"
    label = {"ja": "銀行振込(前払い)", "en": "Bank transfer in advance"}
    capabilities = (
        Capability.OFFLINE | Capability.ASYNC | Capability.CAPTURE | Capability.VOID | Capability.REFUND
    )
    config = Settings

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def availability(self, ctx: CheckoutContext) -> Availability:
        return Available(
            {
                "ja": "ご入金を確かめてから手配します。振込手数料はご負担ください",
                "en": "We start when the money has arrived. The sender pays the transfer fee",
            }
        )

    def fee(self, ctx: CheckoutContext) -> TaxedMoney | None:
        return None

    def start(self, payment: PaymentView, *, key: str, return_url: str) -> Result:
        """Pending, with the account and the reference to write; expires at the end of the last day."""
        last = payment.on + timedelta(days=self.settings.pay_within_days)
        ends = datetime.combine(last, time(23, 59, 59), ZoneInfo(self.settings.timezone)).astimezone(UTC)
        account = {
            "bank": self.settings.bank,
            "branch": self.settings.branch,
            "account_type": self.settings.account_type,
            "account": self.settings.account,
            "holder": self.settings.holder,
            "reference": payment.order_number,
            "pay_by": last.isoformat(),
        }
        return Result(
            "pending", _reference(payment), payment.amount, key, instructions=account, expires_at=ends
        )

    def fetch(self, payment: PaymentView) -> Result:
        """Nobody but the owner knows: still pending."""
        return Result("pending", _reference(payment), payment.amount, "")

    def capture(self, payment: PaymentView, amount: Money, *, key: str) -> Result:
        """The owner saw the money."""
        return Result("captured", _reference(payment), amount, key)

    def void(self, payment: PaymentView, *, key: str) -> Result:
        return Result("canceled", _reference(payment), payment.amount, key)

    def refund(self, payment: PaymentView, amount: Money, *, key: str, reason: str | None) -> Result:
        """The owner sends the money back by hand; this records it."""
        return Result("refunded", _reference(payment), amount, key)

    def parse_webhook(self, raw: RawRequest) -> list[WebhookEvent]:
        return []


def _reference(payment: PaymentView) -> str:
    return payment.provider_ref or f"BT-{payment.order_number}"


@hookimpl
def register_payment_providers() -> Sequence[type[PaymentProvider]]:
    return [BankTransfer]
