"""Payments: tables, what is offered, attempts, and the work they leave for the outbox.

Features outside import what they need from here and nothing deeper.
"""

from storefront.payments.models import Payment, PaymentMove  # first: orders know these tables
from storefront.payments.offering import PaymentOption, methods, offered

from storefront.payments.transition import apply  # isort: skip
from storefront.payments.attempts import ask, create, payment_of, start_for  # isort: skip
from storefront.payments.captures import capture, mark_paid  # isort: skip
from storefront.payments import inbox, reconcile, refunds, work  # isort: skip  (each registers its jobs)

__all__ = [
    "Payment",
    "PaymentMove",
    "PaymentOption",
    "apply",
    "ask",
    "capture",
    "create",
    "inbox",
    "mark_paid",
    "methods",
    "offered",
    "payment_of",
    "reconcile",
    "refunds",
    "start_for",
    "work",
]
