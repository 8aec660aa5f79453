"""Installs a made-up plugin distribution into a folder, as pip would: a module and its metadata."""

import sys
from pathlib import Path
from textwrap import dedent

SAMPLE = Path(__file__).parent / "sample_plugin"


def install(folder: Path, name: str, source: str, *, distribution: str = "", target: str = "") -> Path:
    """Write module `name` and metadata with the entry point `name`; returns the folder for sys.path."""
    distribution = distribution or f"{name}_package"
    sys.modules.pop(f"{distribution}_module", None)  # another test's plugin of this name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{distribution}_module.py").write_text(dedent(source), "utf-8")
    metadata = folder / f"{distribution}-2.3.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 2.3\n")
    (metadata / "entry_points.txt").write_text(f"[koguchi]\n{name} = {target or distribution + '_module'}\n")
    return folder


SHIPPING = """
from plugins import Config, Money, Rate, hookimpl, Unavailable
import threading

PLUGIN_API = 1


class Settings(Config):
    pass


class Provider:
    id = "{name}"
    label = {{"ja": "外部便", "en": "Outside carrier"}}
    config = Settings

    def __init__(self, settings):
        pass

    def quote(self, request):
        {body}


@hookimpl
def register_shipping_providers():
    return [Provider]
"""


def shipping_source(name: str, body: str) -> str:
    """A shipping plugin whose `quote` does `body`, one line of Python."""
    return SHIPPING.format(name=name, body=body)


PAYMENT = """
from plugins import Available, Capability, Config, Hidden, Money, Result, TaxedMoney, hookimpl
import threading

PLUGIN_API = 1


class Settings(Config):
    pass


class Provider:
    id = "{name}"
    label = {{"ja": "外部決済", "en": "Outside payment"}}
    capabilities = Capability.AUTHORIZE | Capability.CAPTURE | Capability.VOID | Capability.REFUND
    config = Settings

    def __init__(self, settings):
        pass

    def availability(self, ctx):
        {availability}

    def fee(self, ctx):
        {fee}

    def start(self, payment, *, key, return_url):
        {start}

    def fetch(self, payment):
        {fetch}

    def capture(self, payment, amount, *, key):
        {capture}

    def void(self, payment, *, key):
        {void}

    def refund(self, payment, amount, *, key, reason):
        {refund}

    def parse_webhook(self, raw):
        {parse_webhook}


@hookimpl
def register_payment_providers():
    return [Provider]
"""
PAYS = {
    "availability": "return Available()",
    "fee": "return None",
    "start": "return Result('authorized', 'OUT-' + key, payment.amount, key)",
    "fetch": "return Result('authorized', payment.provider_ref, payment.amount, '')",
    "capture": "return Result('captured', payment.provider_ref, amount, key)",
    "void": "return Result('canceled', payment.provider_ref, payment.amount, key)",
    "refund": "return Result('refunded', payment.provider_ref, amount, key)",
    "parse_webhook": "return []",
}


def payment_source(name: str, **bodies: str) -> str:
    """A payment plugin whose methods do these bodies, a line of Python each, and else what they should."""
    return PAYMENT.format(name=name, **{**PAYS, **bodies})
