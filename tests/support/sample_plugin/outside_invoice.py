"""A payment provider as an outsider writes it: one file, found by its entry point."""

from plugins import Available, Capability, Config, Disabled, Result, hookimpl

PLUGIN_API = 1


class Settings(Config):
    most_minor: int = 100_000


class OutsideInvoice:
    id = "outside_invoice"
    label = {"ja": "外部の請求サービス", "en": "Invoice by an outside service"}  # noqa: RUF012
    capabilities = Capability.AUTHORIZE | Capability.ISSUES_INVOICE
    config = Settings

    def __init__(self, settings):
        self.settings = settings

    def availability(self, ctx):
        if ctx.total.minor > self.settings.most_minor:
            return Disabled({"ja": "金額が上限を超えています", "en": "The amount is above the limit"})
        return Available()

    def fee(self, ctx):
        return None

    def start(self, payment, *, key, return_url):
        return Result("authorized", f"OUT-{key}", payment.amount, key)

    def fetch(self, payment):
        return Result("authorized", payment.provider_ref, payment.amount, "")

    def capture(self, payment, amount, *, key):
        return Result("captured", payment.provider_ref, amount, key)

    def void(self, payment, *, key):
        return Result("canceled", payment.provider_ref, payment.amount, key)

    def refund(self, payment, amount, *, key, reason):
        return Result("refunded", payment.provider_ref, amount, key)

    def parse_webhook(self, raw):
        return []


@hookimpl
def register_payment_providers():
    return [OutsideInvoice]
