"""The tables of shop.toml that are records of their own: mail, limits, history, slips, shipping, handling."""

import re
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator


class Text(BaseModel):
    """One text in both languages; a missing one is the other."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    ja: str = ""
    en: str = ""

    @model_validator(mode="before")
    @classmethod
    def _from_plain_text(cls, value: Any) -> Any:
        return {"ja": value, "en": value} if isinstance(value, str) else value

    def __getitem__(self, language: str) -> str:
        return str(getattr(self, language) or self.ja or self.en)


class MailSettings(BaseModel):
    """How mails leave: without `server` they stay in the table that the desk shows."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    sender: str = "shop@localhost"
    server: str | None = None  # host:port
    user: str | None = None
    password: SecretStr | None = None
    tls: Literal["starttls", "tls", "none"] = "starttls"


class RateLimits(BaseModel):
    """Limits in Flask-Limiter's words; `storage` is memory:// or redis://... when there are several machines."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    storage: str = "memory://"
    sign_in_account: str = "10 per 15 minutes"
    sign_in_address: str = "50 per 15 minutes"
    apply: str = "10 per hour"
    reset: str = "10 per hour"
    misses: str = "300 per 10 minutes"  # pages asked for that do not exist
    api: str = "600 per minute"  # of one API key
    webhooks: str = "1200 per minute"  # of one address
    enabled: bool = True


class HistorySettings(BaseModel):
    """What is kept of refused wishes, and for how long; orders are no part of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    refusals: bool = True
    keep_months: int = Field(default=13, ge=1, le=60)
    abandoned_after_days: int = Field(default=14, ge=1, le=365)


class SlipSettings(BaseModel):
    """What stands on shipping slips; an empty sender is the shop's own name, address and phone."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    goods: str = ""  # what the slip calls the contents (品名)
    name: str = ""
    postcode: str = ""
    address: str = ""
    phone: str = ""
    yamato_customer: str = ""  # 請求先顧客コード
    yamato_fare: str = "01"  # 運賃管理番号
    sagawa_customer: str = ""  # お客様コード


class ShippingSettings(BaseModel):
    """Which places count as remote; None is the table of islands in storefront/shipping/remote.py."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    remote_postcodes: tuple[str, ...] | None = None  # beginnings of postcodes, digits alone

    @field_validator("remote_postcodes")
    @classmethod
    def _digits(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for prefix in value or ():
            if not re.fullmatch("[0-9]{2,7}", prefix):
                raise ValueError(
                    f'{prefix!r} is no beginning of a postcode; write two to seven digits like "1001"'
                )
        return value


class HandlingCosts(BaseModel):
    """What one order costs to handle by the way it came in, in the shop's currency."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    phone: Decimal | None = Field(default=None, ge=0)  # by phone or FAX; 750 where the currency is the yen
    web: Decimal | None = Field(default=None, ge=0)  # 50 where the currency is the yen
