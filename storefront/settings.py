"""shop.toml to typed Settings. The environment is read here and nowhere else.

Every fault is told at once, with the key, what it holds and what is allowed.
"""

import os
import re
import secrets
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)

from rules.money import CURRENCIES
from storefront.settings_tables import (
    HandlingCosts,
    HistorySettings,
    MailSettings,
    RateLimits,
    ShippingSettings,
    SlipSettings,
    Text,
)

LANGUAGES = ("ja", "en")
_timezones = cache(available_timezones)  # walks through hundreds of files: once in a process is enough
WEAK_SECRETS = {"", "dev", "development", "secret", "changeme", "change-me", "password", "test", "koguchi"}
MINIMUM_SECRET = 32
TOKEN_NAME = re.compile(r"--[a-z0-9-]{1,40}")
# A value of a CSS token; nothing that could end the declaration or load something from elsewhere.
TOKEN_VALUE = re.compile(r"(?!.*url\()[#\w\s.,%()\"'+*/-]{1,200}", re.IGNORECASE)


class SettingsError(Exception):
    """shop.toml or the environment cannot be used; `faults` are sentences for the owner."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Settings(BaseModel):
    """One shop's settings. `folder` is where rules/, prices/ and drawings/ are, `var` where the shop writes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path
    var: Path
    name: Text
    legal_name: Text | None = None
    address: Text = Text()
    phone: str = ""
    hours: Text = Text()
    email: str = "owner@localhost"  # where the shop itself reads mail
    registration_number: str = ""  # 登録番号 of a qualified invoice issuer
    languages: tuple[Literal["ja", "en"], ...] = ("ja", "en")  # the first is the default
    base_url: str = "http://localhost:8000"  # links in mails; never taken from a request
    trusted_hosts: tuple[str, ...] = ()
    currency: str = "JPY"
    timezone: str = "Asia/Tokyo"
    country: str = "JP"  # whose public holidays are no business days
    matcher: Literal["durable", "indexed"] = "durable"
    exceptions_by: Literal["staff", "owner"] = (
        "staff"  # who may make exceptions and let quotations be ordered
    )
    database_url: str
    secret_key: SecretStr
    production: bool = False
    mail: MailSettings = MailSettings()
    rate_limits: RateLimits = RateLimits()
    history: HistorySettings = HistorySettings()
    handling: HandlingCosts = HandlingCosts()
    slips: SlipSettings = SlipSettings()
    shipping: ShippingSettings = ShippingSettings()
    theme: Mapping[str, str] = Field(default_factory=dict)
    plugins: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    session_days: int = Field(default=14, ge=1, le=90)
    upload_limit: int = Field(default=16_000_000, ge=10_000, le=200_000_000)  # bytes of a request's body
    proxies: int = Field(
        default=0, ge=0, le=5
    )  # reverse proxies in front whose X-Forwarded-* may be believed

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, value: str) -> str:
        if value not in _timezones():
            raise ValueError("is no time zone; write one like Asia/Tokyo")
        return value

    @field_validator("country")
    @classmethod
    def _known_country(cls, value: str) -> str:
        from storefront.shop_calendar import has_holidays

        if value != "JP" and not has_holidays(value):
            raise ValueError("is no country whose holidays are known; write two letters like JP")
        return value

    @field_validator("currency")
    @classmethod
    def _known_currency(cls, value: str) -> str:
        if value not in CURRENCIES:
            raise ValueError("is no currency code of ISO 4217; write one like JPY")
        return value

    @field_validator("base_url")
    @classmethod
    def _plain_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("must be the shop's address, like https://shop.example.com")
        return value.rstrip("/")

    @field_validator("languages")
    @classmethod
    def _some_language(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or len(set(value)) != len(value):
            raise ValueError('must name each language once, like ["ja", "en"]')
        return value

    @field_validator("theme")
    @classmethod
    def _plain_tokens(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        for name, token in value.items():
            if not TOKEN_NAME.fullmatch(name) or not TOKEN_VALUE.fullmatch(token):
                raise ValueError(f'{name} = "{token}" is no token; write "--indigo" = "#1f3b73"')
        return value

    def handling_minor(self, door: Literal["phone", "web"]) -> int:
        """What handling an order costs, in minor units; 0 where the shop has not said and its money is not the yen."""
        named = getattr(self.handling, door)
        usual = {"phone": Decimal(750), "web": Decimal(50)}[door] if self.currency == "JPY" else Decimal(0)
        return round((usual if named is None else named).scaleb(CURRENCIES[self.currency]))

    @property
    def default_language(self) -> str:
        return self.languages[0]

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def session_lifetime(self) -> timedelta:
        return timedelta(days=self.session_days)


# shop.toml table -> {key: name in Settings}; keys not named here are refused.
_SHOP_KEYS = {
    "name": "name", "legal_name": "legal_name", "address": "address", "phone": "phone", "hours": "hours",
    "email": "email", "registration_number": "registration_number", "languages": "languages", "base_url": "base_url",
    "trusted_hosts": "trusted_hosts", "session_days": "session_days", "upload_limit": "upload_limit",
    "proxies": "proxies", "production": "production", "country": "country",
}  # fmt: skip
_TABLES = (
    "shop", "policy", "tax", "rules", "mail", "rate_limits", "history", "handling", "slips", "shipping", "theme",
    "plugins", "database",
)  # fmt: skip


def load_settings(
    folder: str | Path | None = None,
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """Settings of the shop in `folder`, then the environment, then `overrides`. Raises SettingsError."""
    environ = os.environ if environ is None else environ
    folder = Path(folder or environ.get("KOGUCHI_SHOP") or ".").resolve()
    values, faults = _from_file(folder, environ)
    values |= _from_environment(environ)
    values |= dict(overrides or {})
    values |= {"folder": folder}
    values.setdefault("name", folder.name)
    values.setdefault("var", folder / "var")
    values.setdefault("database_url", f"sqlite:///{Path(values['var']) / 'shop.sqlite'}")
    production = values.get("production") is True
    if "secret_key" not in values and not production:
        values["secret_key"] = _kept_secret(Path(values["var"]))
    values.setdefault("secret_key", "")
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise SettingsError(faults + [_sentence(fault) for fault in error.errors()]) from None
    faults += _production_faults(settings) if settings.production else []
    if faults:
        raise SettingsError(faults)
    return settings


def plugin_tables(folder: Path, environ: Mapping[str, str] | None = None) -> tuple[dict[str, Any], list[str]]:
    """[plugins] of shop.toml as it stands now, with the environment's values, and what is wrong with it."""
    tables, faults = _read(folder)
    if faults:
        return {}, faults
    return _plugins_of(tables, os.environ if environ is None else environ)


def faults_of(text: str, running: Settings, environ: Mapping[str, str] | None = None) -> list[str]:
    """What would keep the running shop from starting with this text as its shop.toml; never repeats a value."""
    environ = os.environ if environ is None else environ
    try:
        tables = tomllib.loads(text, parse_float=Decimal)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return [f"shop.toml: {error}"]
    values, faults = _values(tables, environ)
    values |= _from_environment(environ)
    values |= {name: getattr(running, name) for name in ("folder", "var", "database_url", "secret_key")}
    values.setdefault("name", running.folder.name)
    try:
        settings = Settings(**values)
    except ValidationError as error:
        return faults + [_sentence(fault, tells=False) for fault in error.errors(include_input=False)]
    return faults + (_production_faults(settings) if settings.production else [])


def environment(name: str) -> str | None:
    """One variable that shop.toml names as env:NAME; None where it is not set."""
    return os.environ.get(name)


def resolved(table: Mapping[str, Any]) -> dict[str, Any]:
    """A table with the environment's values in the place of env:NAME."""
    return dict(_from_env_words(dict(table), "", os.environ, []))


def _read(folder: Path) -> tuple[dict[str, Any], list[str]]:
    path = folder / "shop.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"), parse_float=Decimal), []
    except FileNotFoundError:
        return {}, [f"{path}: there is no shop.toml; `koguchi new FOLDER` writes a shop to start from"]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        return {}, [f"{path}: {error}"]


def _from_file(folder: Path, environ: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    tables, faults = _read(folder)
    return ({}, faults) if faults else _values(tables, environ)


def _values(tables: dict[str, Any], environ: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    faults = [
        f"shop.toml: [{name}] is unknown; allowed: {', '.join(_TABLES)}"
        for name in tables
        if name not in _TABLES
    ]
    values: dict[str, Any] = {}
    for key, value in tables.get("shop", {}).items():
        if key in _SHOP_KEYS:
            values[_SHOP_KEYS[key]] = value
        else:
            faults.append(f"shop.toml: [shop] {key} is unknown; allowed: {', '.join(_SHOP_KEYS)}")
    policy = tables.get("policy", {})
    values |= {key: policy[key] for key in ("currency", "timezone") if key in policy}
    rules = tables.get("rules", {})
    values |= {key: rules[key] for key in ("matcher", "exceptions_by") if key in rules}
    values |= {"database_url": tables["database"]["url"]} if "url" in tables.get("database", {}) else {}
    for name in ("mail", "rate_limits", "history", "handling", "slips", "shipping", "theme"):
        if name in tables:
            values[name] = _from_env_words(tables[name], name, environ, faults)
    if "plugins" in tables:
        values["plugins"], missing = _plugins_of(tables, environ)
        faults += missing
    return values, faults


def _plugins_of(tables: Mapping[str, Any], environ: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """A plugin that is switched off needs none of its variables."""
    plugins = tables.get("plugins", {})
    faults: list[str] = []
    found: dict[str, Any] = {}
    if not isinstance(plugins, dict):
        return {}, ["shop.toml: plugins must be tables like [plugins.bank_transfer]"]
    for name, table in plugins.items():
        if not isinstance(table, dict):
            faults.append(f"shop.toml: plugins.{name} must be a table: write [plugins.{name}]")
            continue
        is_off = table.get("enabled") is False
        found[name] = _from_env_words(table, f"plugins.{name}", environ, [] if is_off else faults)
    return found, faults


def _from_env_words(value: Any, where: str, environ: Mapping[str, str], faults: list[str]) -> Any:
    """Replace "env:NAME" by the environment's NAME, so that secrets stay out of shop.toml."""
    if isinstance(value, dict):
        return {
            key: _from_env_words(inner, f"{where}.{key}", environ, faults) for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_from_env_words(inner, where, environ, faults) for inner in value]
    if isinstance(value, str) and value.startswith("env:"):
        if value[4:] not in environ:
            faults.append(f"shop.toml: {where} wants the environment variable {value[4:]}, which is not set")
        return environ.get(value[4:], "")
    return value


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    names = {
        "KOGUCHI_SECRET_KEY": "secret_key",
        "DATABASE_URL": "database_url",
        "KOGUCHI_BASE_URL": "base_url",
        "KOGUCHI_MATCHER": "matcher",
    }
    values: dict[str, Any] = {key: environ[name] for name, key in names.items() if name in environ}
    if environ.get("KOGUCHI_ENV"):
        values["production"] = environ["KOGUCHI_ENV"] == "production"
    if environ.get("KOGUCHI_TRUSTED_HOSTS"):
        values["trusted_hosts"] = tuple(environ["KOGUCHI_TRUSTED_HOSTS"].replace(",", " ").split())
    return values


def _kept_secret(var: Path) -> str:
    """The secret of a demo or development shop, made once and kept readable by its owner only."""
    path = var / "secret_key"
    var.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return path.read_text().strip()


def _production_faults(settings: Settings) -> list[str]:
    """What a shop on the open net must not start with."""
    secret = settings.secret_key.get_secret_value()
    faults = []
    if secret.lower() in WEAK_SECRETS or len(secret) < MINIMUM_SECRET or len(set(secret)) < 8:
        faults.append(
            f"KOGUCHI_SECRET_KEY is missing or weak; set {MINIMUM_SECRET} random characters or more, "
            'made with: python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
        )
    if not settings.base_url.startswith("https://"):
        faults.append(f"base_url is {settings.base_url}; in production it must begin with https://")
    return faults


def _sentence(fault: Any, *, tells: bool = True) -> str:
    where = ".".join(str(part) for part in fault["loc"])
    is_secret = where.startswith(("secret_key", "mail.password"))
    held = f" (holds {fault['input']!r})" if tells and not is_secret else ""
    return f"shop.toml: {where} {fault['msg'].removeprefix('Value error, ')}{held}"
