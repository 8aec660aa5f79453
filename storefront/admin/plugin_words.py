"""What each plugin that comes with the shop is for, in a sentence for the owner; also while it is not enabled."""

from __future__ import annotations

from storefront.language import N_, _

ABOUT = {
    "bank_transfer": N_("The buyer pays into your bank account first; you mark the order paid."),
    "net_terms": N_("On account, for companies with terms and a credit limit."),
    "cash_on_delivery": N_("The carrier collects the money, for a fee by amount."),
    "stripe_checkout": N_("Cards, convenience stores and bank transfers on Stripe's page."),
    "dummy": N_("A way to pay for trying things out. It moves no money: not for a shop that is open."),
    "flat_rate": N_("One price for shipping an order."),
    "table_rate": N_("Shipping by a tariff: zones, sizes, weights."),
    "carrier_callback": N_("Asks a carrier's server for the price of shipping."),
    "pickup": N_("The buyer fetches the goods."),
    "erp_files": N_("Hands orders and payments to your core system, as files in a folder."),
    "event_webhooks": N_("Sends orders and payments to a server of yours, signed."),
    "notices": N_("Your announcements on pages, from one day to another."),
}


def about(name: str) -> str:
    """The sentence; nothing for a plugin from outside."""
    return _(ABOUT[name]) if name in ABOUT else ""
