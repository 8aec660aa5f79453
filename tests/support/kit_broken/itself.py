"""Providers that break a promise about what they are, their settings and their secrets."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, SecretStr, model_validator

from plugins import (
    Capability,
    Config,
    PaymentView,
    RawRequest,
    Result,
)
from support.kit_broken.noting import breaks
from support.kit_subjects import SECRET, Good, OtherSide, Settings


@breaks("test_it_says_what_it_is")
class LabelInEnglishOnly(Good):
    label: Mapping[str, str] = {"en": "Good payments"}


@breaks("test_it_says_what_it_is")
class LabelIsAText(Good):
    label: Any = "Good payments"


@breaks("test_it_says_what_it_is")
class RefundsPartsButNotTheWhole(Good):
    capabilities = Capability.CAPTURE | Capability.PARTIAL_REFUND


@breaks("test_its_methods_take_what_the_shop_gives")
class KeyByPosition(Good):
    def start(self, payment: PaymentView, idempotency_key: str, return_url: str) -> Result:  # type: ignore[override]
        return super().start(payment, key=idempotency_key, return_url=return_url)


@breaks("test_its_methods_take_what_the_shop_gives")
class AsyncFetch(Good):
    async def fetch(self, payment: PaymentView) -> Result:  # type: ignore[override]
        await asyncio.sleep(0)
        return super().fetch(payment)


class Forgiving(BaseModel):
    """No plugins.Config: pydantic's own default drops what it does not know."""

    api_key: SecretStr
    retries: int = 2


@breaks("test_a_wrong_setting_is_refused_by_its_name")
class TakesUnknownSettings(Good):
    config = Forgiving


class Nameless(Config):
    api_key: SecretStr
    retries: int = 2

    @model_validator(mode="after")
    def _sensible(self) -> Nameless:
        if self.retries > 5:
            raise ValueError("that is not possible")
        return self


@breaks("test_a_wrong_setting_is_refused_by_its_name")
class RefusesWithoutTheName(Good):
    config = Nameless


class OpenKey(Config):
    api_key: str
    retries: int = Settings.model_fields["retries"]  # type: ignore[assignment]


@breaks("test_a_wrong_setting_is_refused_by_its_name")
class KeyIsAPlainText(Good):
    config = OpenKey


@breaks("test_no_secret_stands_in_a_repr_a_result_or_a_log")
class LogsItsSecret(Good):
    def __init__(self, settings: Settings, other: OtherSide | None = None) -> None:
        super().__init__(settings, other)
        logging.getLogger("koguchi.kit").debug("using %s", settings.api_key.get_secret_value())


@breaks("test_no_secret_stands_in_a_repr_a_result_or_a_log")
class SecretInItsRepr(Good):
    def __repr__(self) -> str:
        return f"<Good {self.settings.api_key.get_secret_value()}>"


@breaks("test_no_secret_stands_in_a_repr_a_result_or_a_log")
class SecretInInstructions(Good):
    def answer(self, payment: PaymentView, key: str, return_url: str, mode: str, reference: str) -> Result:
        found = super().answer(payment, key, return_url, mode, reference)
        return replace(found, instructions={"client": self.settings.api_key.get_secret_value()})


@breaks("test_no_secret_stands_in_a_repr_a_result_or_a_log")
class SecretInAnError(Good):
    def start(self, payment: PaymentView, *, key: str, return_url: str) -> Result:
        try:
            return super().start(payment, key=key, return_url=return_url)
        except TimeoutError as error:
            raise RuntimeError(f"POST /pay Bearer {self.settings.api_key.get_secret_value()}") from error


@breaks("test_no_secret_stands_in_a_repr_a_result_or_a_log")
class PrintsItsSecret(Good):
    def verify(self, raw: RawRequest) -> None:
        print("checking with", SECRET)
        super().verify(raw)


@breaks("test_building_it_asks_nobody")
class ConnectsInInit(Good):
    def __init__(self, settings: Settings, other: OtherSide | None = None) -> None:
        super().__init__(settings, other)
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", 9), 0.1).close()


@breaks("test_nothing_is_kept_in_the_class")
class KeptInTheClass(Good):
    seen: dict[str, Result] = {}  # noqa: RUF012

    def start(self, payment: PaymentView, *, key: str, return_url: str) -> Result:
        if key not in self.seen:
            self.seen[key] = super().start(payment, key=key, return_url=return_url)
        return self.seen[key]
