"""Parameters of a call to Stripe as they stand on the wire, held against the types of the installed package.

A parameter that the package does not know is refused as Stripe refuses it, so a release that drops one is noticed.
"""

import re
import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin
from urllib.parse import parse_qsl

import typing_extensions
from stripe._request_options import RequestOptions
from stripe._stripe_object import UntypedStripeObject

REMOVED = {"payment_method_types": "payment_method_types_no_longer_supported"}
_PART = re.compile(r"\[([^\]]*)\]")


class Refused(Exception):
    """What Stripe answers instead: status, type, code, param, message."""

    def __init__(
        self, code: str, message: str, *, param: str | None = None, status: int = 400, **more: object
    ) -> None:
        super().__init__(message)
        self.status = status
        kind = "card_error" if status == 402 else "invalid_request_error"
        self.error = {"type": kind, "code": code, "message": message, "param": param, **more}


def decoded(text: str) -> dict[str, Any]:
    """a[b][0]=c as {"a": {"b": ["c"]}}: every value a string, as it stands on the wire."""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        parts = [name.partition("[")[0], *_PART.findall(name)]
        inner = found
        for part in parts[:-1]:
            inner = inner.setdefault(part, {})
        inner[parts[-1]] = value
    return {name: _lists(value) for name, value in found.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _lists(each) for name, each in value.items()}
    if inner and all(name.isdigit() for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner


@cache
def _hints(typed: type) -> Mapping[str, Any]:
    words = {**vars(typing), **vars(typing_extensions), "StripeContext": str}
    return typing_extensions.get_type_hints(typed, localns=words, include_extras=True)


def check(params: Mapping[str, Any], typed: type, path: str = "") -> None:
    """Raises Refused for a removed, an unknown, a missing or an ill-formed parameter."""
    known = {name: each for name, each in _hints(typed).items() if name not in RequestOptions.__annotations__}
    for name, value in params.items():
        full = f"{path}[{name}]" if path else name
        if name in REMOVED:
            raise Refused(REMOVED[name], f"{name} is no longer supported", param=name)
        if name not in known:
            raise Refused("parameter_unknown", f"Received unknown parameter: {full}", param=full)
        if not _fits(value, known[name], full):
            raise Refused("parameter_invalid", f"Invalid value for {full}: {value!r:.60}", param=full)
    for name, each in known.items():
        if get_origin(each) is not typing_extensions.NotRequired and name not in params:
            full = f"{path}[{name}]" if path else name
            raise Refused("parameter_missing", f"Missing required param: {full}.", param=full)


def _fits(value: Any, kind: Any, path: str) -> bool:
    origin = get_origin(kind)
    if origin in (typing_extensions.NotRequired, typing_extensions.Required):
        return _fits(value, get_args(kind)[0], path)
    if origin in (Union, types.UnionType):
        kinds = get_args(kind)
        tables = [each for each in kinds if typing_extensions.is_typeddict(each)]
        if isinstance(value, dict) and len(tables) == 1:
            return _fits(value, tables[0], path)  # so that the message names the inner parameter
        return any(_fits(value, each, path) for each in kinds)
    if origin is Literal:
        return value in get_args(kind)
    if typing_extensions.is_typeddict(kind):
        if not isinstance(value, dict):
            return False
        check(value, kind, path)
        return True
    if origin is list:
        return isinstance(value, list) and all(_fits(each, get_args(kind)[0], path) for each in value)
    if origin is dict:
        return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())
    if kind is int:
        return isinstance(value, str) and re.fullmatch(r"-?[0-9]+", value) is not None
    if kind is bool:
        return value in ("true", "false")
    if origin is UntypedStripeObject or kind is UntypedStripeObject:
        return False
    return kind is str and isinstance(value, str)
