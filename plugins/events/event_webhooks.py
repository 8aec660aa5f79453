"""Sends each event to a server of the firm's as a signed POST: at least once, to public https addresses alone.

A server that is down is asked again by the shop's outbox, for three days; then the event waits at the desk.
"""

import hashlib
import hmac
import time
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_core import PydanticCustomError

from plugins import (
    Config,
    Event,
    EventName,
    Health,
    OrderApproved,
    OrderPlaced,
    PaymentChanged,
    ShipmentCreated,
    hookimpl,
)
from plugins.contract import EVENTS
from plugins.events.written import as_json, kind_of
from plugins.outgoing import checked_url, post, reach, refuse_private_setting

PLUGIN_API = 1
SECONDS = 10.0  # for the whole answer
SHORTEST = 24  # characters of a secret
now = time.time


class Settings(Config):
    url: str = Field(
        max_length=2_000,
        description="where events are sent, https",
        json_schema_extra={"ja": "できごとを送る https のアドレス"},
    )
    secret: SecretStr = Field(
        description="the receiver checks signatures with it; 24 characters or more",
        json_schema_extra={"ja": "受け手が署名を確かめる秘密の値。24文字以上"},
    )
    old_secret: SecretStr | None = Field(
        default=None,
        description="signs too, while a receiver still has the secret of before",
        json_schema_extra={"ja": "受け手がまだ前の値を使う間、これでも署名します"},
    )
    events: tuple[EventName, ...] = Field(
        default=EVENTS,
        min_length=1,
        description="which events are sent",
        json_schema_extra={"ja": "送るできごと"},
    )
    allow_insecure: bool = Field(
        default=False,
        description="http and private addresses too: for tests and a server beside the shop",
        json_schema_extra={"ja": "http や内部のアドレスも使います。試験や、ショップのそばのサーバー用"},
    )

    @field_validator("url")
    @classmethod
    def url_is_whole(cls, url: str) -> str:
        return checked_url(url, "https://erp.example.com/koguchi")

    @model_validator(mode="after")
    def url_is_safe(self) -> Self:
        if not self.allow_insecure:
            refuse_private_setting(self.url, type(self).__name__)
        return self

    @field_validator("secret", "old_secret")
    @classmethod
    def secret_is_long(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value()) < SHORTEST:
            raise PydanticCustomError(
                "secret_short", "must have {shortest} characters or more", {"shortest": SHORTEST}
            )
        return secret


CONFIG = Settings


def signature(body: bytes, moment: int, *secrets: SecretStr | None) -> str:
    """`t=1763601600,v1=...`: the HMAC-SHA256 of "t.body" under each secret, in hexadecimal."""
    signed = str(moment).encode() + b"." + body
    made = [
        hmac.new(secret.get_secret_value().encode(), signed, hashlib.sha256).hexdigest()
        for secret in secrets
        if secret is not None
    ]
    return ",".join([f"t={moment}", *(f"v1={each}" for each in made)])


def send(event: Event, settings: Settings) -> None:
    """One POST; raises where the server did not take it, and the shop sends it again later."""
    if kind_of(event) not in settings.events:
        return
    body = as_json(event)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Koguchi",
        "Koguchi-Event": event.event_id,
        "Koguchi-Signature": signature(body, int(now()), settings.secret, settings.old_secret),
    }
    post(settings.url, body, headers, seconds=SECONDS, allow_insecure=settings.allow_insecure)


@hookimpl
def order_placed(event: OrderPlaced, settings: Settings) -> None:
    send(event, settings)


@hookimpl
def order_approved(event: OrderApproved, settings: Settings) -> None:
    send(event, settings)


@hookimpl
def payment_changed(event: PaymentChanged, settings: Settings) -> None:
    send(event, settings)


@hookimpl
def shipment_created(event: ShipmentCreated, settings: Settings) -> None:
    send(event, settings)


@hookimpl
def health(settings: Settings) -> Health:
    """Whether the server can be reached; it is told nothing."""
    try:
        reach(settings.url, seconds=SECONDS, allow_insecure=settings.allow_insecure)
    except (OSError, ValueError) as error:
        why = f"{type(error).__name__}: {str(error)[:200]}"
        return Health(
            False,
            {
                "ja": f"受け取り先に接続できません({why})。通知は保存され、3日間くり返し送られます",
                "en": f"The receiver cannot be reached ({why}). Events are kept and sent again for three days",
            },
        )
    return Health(True, {"ja": "受け取り先に接続できます", "en": "The receiver can be reached"})
