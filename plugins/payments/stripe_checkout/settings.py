"""What the owner sets of Stripe: its keys, the ways to pay, and how long each may take."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator

from plugins import Config
from plugins.payments.stripe_checkout.amounts import Method


class Settings(Config):
    api_key: SecretStr = Field(
        description="the secret key from the dashboard, best a restricted one",
        json_schema_extra={"ja": "ダッシュボードのシークレットキー。できれば制限付きキー"},
    )
    webhook_secrets: tuple[SecretStr, ...] = Field(
        min_length=1,
        max_length=5,
        description="of the webhook; several while one is being replaced",
        json_schema_extra={"ja": "Webhook の署名シークレット。交換中は新旧を並べます"},
    )
    methods: tuple[Method, ...] = Field(
        default=("card",),
        min_length=1,
        description="the ways to pay on the page of Stripe",
        json_schema_extra={"ja": "Stripe のページで使える支払方法"},
    )
    capture: Literal["automatic", "manual"] = Field(
        default="automatic",
        description="manual: cards are only authorized until you take the money",
        json_schema_extra={"ja": "manual では、カードは与信だけして、後で売上にします"},
    )
    expire_minutes: int = Field(
        default=1380,
        ge=31,
        le=1430,
        description="minutes until the page of Stripe ends",
        json_schema_extra={"ja": "Stripe のページが終わるまでの分"},
    )
    konbini_days: int = Field(
        default=3,
        ge=1,
        le=60,
        description="days to pay at the convenience store",
        json_schema_extra={"ja": "コンビニで払える日数"},
    )
    transfer_days: int = Field(
        default=7,
        ge=1,
        le=90,
        description="days to pay by bank transfer",
        json_schema_extra={"ja": "振込で払える日数"},
    )
    account: Annotated[str, Field(pattern=r"^acct_\w+$")] | None = Field(
        default=None,
        description="the connected account to act for, acct_...",
        json_schema_extra={"ja": "代わって動く連結アカウント。acct_..."},
    )

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
