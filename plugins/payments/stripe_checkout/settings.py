"""What the owner sets of Stripe: its keys, the ways to pay, and how long each may take."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator

from plugins import Config
from plugins.payments.stripe_checkout.amounts import Method


class Settings(Config):
    api_key: SecretStr
    webhook_secrets: tuple[SecretStr, ...] = Field(min_length=1, max_length=5)
    methods: tuple[Method, ...] = Field(default=("card",), min_length=1)
    capture: Literal["automatic", "manual"] = "automatic"
    expire_minutes: int = Field(default=1380, ge=31, le=1430)
    konbini_days: int = Field(default=3, ge=1, le=60)
    transfer_days: int = Field(default=7, ge=1, le=90)
    account: Annotated[str, Field(pattern=r"^acct_\w+$")] | None = None

    @field_validator("api_key")
    @classmethod
    def _is_a_secret_key(cls, key: SecretStr) -> SecretStr:
        if not key.get_secret_value().startswith(("sk_", "rk_")):
            raise ValueError("a secret key begins with sk_, a restricted one with rk_")
        return key

    @field_validator("webhook_secrets")
    @classmethod
    def _are_signing_secrets(cls, secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if not all(each.get_secret_value().startswith("whsec_") for each in secrets):
            raise ValueError("a signing secret begins with whsec_")
        return secrets

    @field_validator("methods")
    @classmethod
    def _are_named_once(cls, methods: tuple[Method, ...]) -> tuple[Method, ...]:
        if len(set(methods)) != len(methods):
            raise ValueError("a method is named twice")
        return methods
