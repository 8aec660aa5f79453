"""Cash on delivery (代金引換): the carrier collects, and asks a fee that depends on the amount.

No network: the payment is authorized when the order is placed, and captured when the carrier has paid it out.
"""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from plugins import (
    Availability,
    Available,
    Capability,
    CheckoutContext,
    Config,
    Disabled,
    Hidden,
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
CURRENCY = "JPY"  # drivers collect yen


class Fee(Config):
    """One row of the fee table: `fee_minor` without tax for a total with tax of at most `up_to_minor`."""

    up_to_minor: int = Field(gt=0)
    fee_minor: int = Field(ge=0)


# What Japanese carriers commonly ask; a sample, to be replaced by the shop's own contract.
SAMPLE = (
    Fee(up_to_minor=10_000, fee_minor=300),
    Fee(up_to_minor=30_000, fee_minor=400),
    Fee(up_to_minor=100_000, fee_minor=600),
    Fee(up_to_minor=300_000, fee_minor=1_000),
)


class Settings(Config):
    fees: tuple[Fee, ...] = Field(
        default=SAMPLE,
        min_length=1,
        description="the fee up to each amount with tax; above the last one it is not offered",
        json_schema_extra={"ja": "税込金額ごとの手数料。最後の金額を超えると使えません"},
    )
    tax_rate: Decimal | None = Field(
        default=None,
        ge=0,
        le=1,
        description="of the fee, such as 0.10; empty: the shop’s own",
        json_schema_extra={"ja": "手数料の税率。0.10 など。空ならショップの税率"},
    )
    countries: tuple[Annotated[str, Field(pattern=r"^[A-Z]{2}$")], ...] = Field(
        default=("JP",),
        description="where it is offered, as JP",
        json_schema_extra={"ja": "使える国。JP など"},
    )
    without_regions: tuple[str, ...] = Field(
        default=(),
        description="where the carrier does not collect, such as JP-47",
        json_schema_extra={"ja": "代金を集められない地域。JP-47 など"},
    )

    @field_validator("fees")
    @classmethod
    def _ascending(cls, fees: tuple[Fee, ...]) -> tuple[Fee, ...]:
        for before, after in pairwise(fees):
            if after.up_to_minor <= before.up_to_minor:
                raise PydanticCustomError(
                    "fees_rise",
                    "up_to_minor must rise from row to row; {value} does not",
                    {"value": after.up_to_minor},
                )
        return fees


class CashOnDelivery:
    id = "cash_on_delivery"
    label = {"ja": "代金引換", "en": "Cash on delivery"}
    capabilities = Capability.OFFLINE | Capability.AUTHORIZE | Capability.CAPTURE | Capability.VOID
    config = Settings

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def availability(self, ctx: CheckoutContext) -> Availability:
        """Hidden in other currencies and places; refused with its reason above what the carrier collects."""
        to = ctx.ship_to
        if ctx.total.currency != CURRENCY:
            return Hidden()
        if to is not None and (
            to.country not in self.settings.countries or to.region in self.settings.without_regions
        ):
            return Disabled(
                {
                    "ja": "この届け先では代金引換を使えません",
                    "en": "The carrier does not collect at this address",
                }
            )
        most = self.settings.fees[-1].up_to_minor
        if self._row(ctx.total) is None:
            return Disabled(
                {
                    "ja": f"代金引換は税込 {most:,}円までです",
                    "en": f"Cash on delivery is taken up to {most:,} yen with tax",
                }
            )
        return Available(
            {"ja": "お届けのときにお支払いください", "en": "Pay the driver when the goods arrive"}
        )

    def fee(self, ctx: CheckoutContext) -> TaxedMoney | None:
        """The fee of the row that the total falls under. The fee itself is not counted into the total."""
        row = self._row(ctx.total)
        if row is None or ctx.total.currency != CURRENCY or not row.fee_minor:
            return None
        return TaxedMoney(Money(row.fee_minor, ctx.total.currency), self.settings.tax_rate)

    def _row(self, total: Money) -> Fee | None:
        return next((row for row in self.settings.fees if total.minor <= row.up_to_minor), None)

    def start(self, payment: PaymentView, *, key: str, return_url: str) -> Result:
        """Authorized: the carrier collects exactly the order's total."""
        return Result("authorized", _reference(payment), payment.amount, key)

    def fetch(self, payment: PaymentView) -> Result:
        """Nobody but the owner knows whether the carrier has paid out: as it was."""
        return Result("authorized", _reference(payment), payment.amount, "")

    def capture(self, payment: PaymentView, amount: Money, *, key: str) -> Result:
        """The carrier has paid out."""
        return Result("captured", _reference(payment), amount, key)

    def void(self, payment: PaymentView, *, key: str) -> Result:
        return Result("canceled", _reference(payment), payment.amount, key)

    def refund(self, payment: PaymentView, amount: Money, *, key: str, reason: str | None) -> Result:
        """The driver gives nothing back: the owner sends the money by transfer."""
        text = {
            "ja": "代金引換の返金は振込で行います",
            "en": "Money collected on delivery is sent back by transfer",
        }
        return Result("failed", _reference(payment), amount, key, buyer_message=text, code="not_supported")

    def parse_webhook(self, raw: RawRequest) -> list[WebhookEvent]:
        return []


def _reference(payment: PaymentView) -> str:
    return payment.provider_ref or f"COD-{payment.order_number}"


@hookimpl
def register_payment_providers() -> Sequence[type[PaymentProvider]]:
    return [CashOnDelivery]
