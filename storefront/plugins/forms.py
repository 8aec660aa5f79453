"""A form out of a plugin's settings model, and what it changes in [plugins.ID] of shop.toml. Pure: nothing is written.

A secret is never shown and never taken: the form asks for the name of an environment variable instead.
"""

from __future__ import annotations

import re
import tomllib
import types
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import tomlkit
from pydantic import BaseModel, SecretBytes, SecretStr, ValidationError
from pydantic_core import PydanticUndefined
from tomlkit.exceptions import TOMLKitError

from plugins.hidden import holds_a_secret, texts_in

ENV = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]{0,80}")
LONGEST = 100_000  # characters of one value
HIDDEN = "(secret)"  # what stands in the place of a secret that is written out in shop.toml
OF_THE_SHOP = ("enabled", "priority")  # keys of every plugin's table, which no model knows
PRIORITY = {
    "en": "its place among the others: the smallest number comes first",
    "ja": "ほかの方法との並び順。小さい数が先です",
}
AHEAD = "value = "
_GROUPED = re.compile(r"(?<=\d),(?=\d{3})")

# "closed" is a value with a secret somewhere inside: it can be changed in the file alone.
Kind = Literal["secret", "flag", "choice", "number", "text", "lines", "toml", "closed"]


@dataclass(frozen=True, slots=True)
class Field:
    """One setting as the form shows it. `value` is what stands in shop.toml, never a secret."""

    name: str
    kind: Kind
    about: Mapping[str, str]  # the model's description by language; {} where it has none
    is_needed: bool
    default: str
    value: str = ""
    choices: tuple[str, ...] = ()
    is_kept: bool = False  # a secret written out in shop.toml: it stays as long as the field stays empty
    many: bool = False

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The choices of a select; the first leaves the setting out."""
        return [("", "—"), *((one, one) for one in self.choices)]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one value: a code that has a sentence at the desk, its numbers, and the model's own words.

    `at` is the place inside the value, such as 0.up_to_minor.
    """

    code: str
    said: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    at: str = ""


@dataclass
class Draft:
    """What the form asks for: keys with their values as TOML (None: without it), or why not, by field ("": all)."""

    changes: dict[str, str | None] = field(default_factory=dict)
    errors: dict[str, Fault] = field(default_factory=dict)


def form_of(model: type[BaseModel], table: Mapping[str, Any]) -> list[Field]:
    """Every setting of the model, with what `table` holds; at the end the place among the others."""
    fields = [_field(name, info, table) for name, info in model.model_fields.items()]
    held = table.get("priority")
    value = "" if held is None else _shown("number", held)
    return [*fields, Field("priority", "number", PRIORITY, False, "100", value)]


def _field(name: str, info: Any, table: Mapping[str, Any]) -> Field:
    annotation = _plain(info.annotation)
    kind, held = _kind(annotation), table.get(name)
    many = _row_of(annotation) is not None
    value = "" if held is None else _shown(kind, held)
    is_kept = False
    if kind == "secret" and held is not None:
        names = value.splitlines()
        is_kept = not all(ENV.fullmatch(one) for one in names) or not names
        value = "" if is_kept else value
    elif kind == "closed":
        is_kept, value = held is not None, ""
    default = info.get_default(call_default_factory=False)
    told = (
        ""
        if kind in ("secret", "closed") or default in (PydanticUndefined, None)
        else _shown(kind, _bare(default))
    )
    choices = tuple(str(one) for one in get_args(annotation)) if kind == "choice" else _of_each(annotation)
    return Field(name, kind, _about(info), info.is_required(), told[:200], value, choices, is_kept, many)


def _about(info: Any) -> dict[str, str]:
    """Field(description="...", json_schema_extra={"ja": "..."}): the hint in English and in Japanese."""
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    told = {"en": info.description, "ja": extra.get("ja")}
    return {language: words for language, words in told.items() if isinstance(words, str) and words}


def _plain(annotation: Any) -> Any:
    """Without Annotated and `| None`."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        rest = [one for one in get_args(annotation) if one is not type(None)]
        return _plain(rest[0]) if len(rest) == 1 else annotation
    return annotation


def _kind(annotation: Any) -> Kind:
    if holds_a_secret(annotation):
        return "secret" if _is_secret(annotation) else "closed"
    if get_origin(annotation) is Literal:
        return "choice"
    if annotation is bool:
        return "flag"
    if annotation in (int, float, Decimal):
        return "number"
    if annotation is str or (isinstance(annotation, type) and issubclass(annotation, Path)):
        return "text"
    row = _row_of(annotation)
    return "lines" if row is not None and (set(row) <= {str, Path} or _of_each(annotation)) else "toml"


def _row_of(annotation: Any) -> list[Any] | None:
    """The types of what a row of values holds; None where it is no row."""
    if get_origin(annotation) not in (tuple, list, set, frozenset):
        return None
    return [_plain(one) for one in get_args(annotation) if one is not Ellipsis]


def _of_each(annotation: Any) -> tuple[str, ...]:
    """What each line may say, where a row takes certain words only."""
    row = _row_of(annotation) or []
    words = get_args(row[0]) if len(row) == 1 and get_origin(row[0]) is Literal else ()
    return tuple(words) if all(isinstance(one, str) for one in words) else ()


def _is_secret(annotation: Any) -> bool:
    """Whether a value of this type is a secret, or a row of secrets."""
    if annotation in (SecretStr, SecretBytes):
        return True
    row = _row_of(annotation)
    return bool(row) and all(one in (SecretStr, SecretBytes) for one in row or ())


def _bare(value: Any) -> Any:
    """Plain data of a default or of what tomlkit read."""
    if isinstance(value, BaseModel):
        return {name: _bare(each) for name, each in value.model_dump(exclude_none=True).items()}
    if isinstance(value, Mapping):
        return {str(key): _bare(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_bare(each) for each in value]
    return str(value) if isinstance(value, Path) else value


def _shown(kind: Kind, held: Any) -> str:
    value = _bare(_unwrapped(held))
    if kind in ("lines", "secret"):
        return "\n".join(str(one) for one in (value if isinstance(value, list) else [value]))
    if kind == "toml":
        return inline(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def inline(value: Any) -> str:
    """A value written as TOML in one line."""
    if isinstance(value, dict):
        pairs = (f"{tomlkit.key(key).as_string()} = {inline(each)}" for key, each in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(inline(each) for each in value) + "]"
    return str(value) if isinstance(value, Decimal) else str(tomlkit.item(value).as_string())


def shown(model: type[BaseModel] | None, table: Mapping[str, Any]) -> dict[str, Any]:
    """A table as it may be kept and told: what is a secret, or is not known to be none, only as env:NAME."""
    fields = {each.name: each for each in form_of(model, {})} if model is not None else {}
    told: dict[str, Any] = {}
    for key, held in _bare(_unwrapped(table)).items():
        is_open = key in OF_THE_SHOP or (key in fields and fields[key].kind not in ("secret", "closed"))
        told[key] = held if is_open else _named(held)
    return told


def _named(held: Any) -> Any:
    """The names of environment variables as they are, anything else hidden."""
    if isinstance(held, list):
        return [_named(each) for each in held]
    return held if isinstance(held, str) and ENV.fullmatch(held) else HIDDEN


def as_toml(name: str, table: Mapping[str, Any]) -> str:
    """[plugins.NAME] with these values, one in a line."""
    lines = (f"{tomlkit.key(key).as_string()} = {inline(held)}" for key, held in table.items())
    return "\n".join([f"[plugins.{tomlkit.key(name).as_string()}]", *lines]) + "\n"


def _unwrapped(held: Any) -> Any:
    return held.unwrap() if hasattr(held, "unwrap") else held


def draft_of(
    model: type[BaseModel],
    table: Mapping[str, Any],
    sent: Mapping[str, str],
    *,
    folder: Path | None,
    known: Callable[[str], str | None],
) -> Draft:
    """What the form changes in a table, checked by the model; `known` gives a variable of the environment."""
    held = _bare(_unwrapped(table))
    draft = Draft()
    for each in form_of(model, held):
        if each.name in sent and each.kind != "closed":
            _lay(each, sent[each.name].replace("\r\n", "\n").strip(), draft)
    draft.errors = check(model, with_changes(held, draft.changes), folder, known) | draft.errors
    return draft


def with_changes(table: Mapping[str, Any], changes: Mapping[str, str | None]) -> dict[str, Any]:
    """The table as plain values after the changes."""
    made = {key: held for key, held in table.items() if changes.get(key, "") is not None}
    for key, value in changes.items():
        if value is not None:
            made[key] = _bare(tomlkit.value(value).unwrap())
    return made


def _lay(each: Field, written: str, draft: Draft) -> None:
    """One value of the form; what was not changed stays exactly as it is written in the file."""
    if each.kind in ("number", "choice", "secret", "flag"):
        written = unicodedata.normalize("NFKC", written).strip()  # typed with a Japanese keyboard
    if written == each.value.strip():
        return
    if len(written) > LONGEST:
        draft.errors[each.name] = Fault("string_too_long", values={"max_length": LONGEST})
    elif each.kind == "secret":
        names = [one.strip() for one in written.split("\n") if one.strip()]
        if not all(ENV.fullmatch(one) for one in names):
            draft.errors[each.name] = Fault("secret")
        elif names:
            draft.changes[each.name] = inline(names if each.many else names[0])
        elif not each.is_kept:
            draft.changes[each.name] = None
    elif not written:
        if each.value:
            draft.changes[each.name] = None
    else:
        try:
            draft.changes[each.name] = _value(each, written)
        except (TOMLKitError, ValueError, RecursionError) as error:
            draft.errors[each.name] = Fault("number" if each.kind == "number" else "toml", str(error)[:200])


def _value(each: Field, written: str) -> str:
    if each.kind == "lines":
        return inline([one.strip() for one in written.split("\n") if one.strip()])
    if each.kind == "flag":
        return "true" if written == "true" else "false"
    if each.kind == "number":
        written = _GROUPED.sub("", written)
        kinds = (int,) if each.name == "priority" else (int, float)
        if type(tomlkit.value(written).unwrap()) not in kinds:
            raise ValueError("no number")
        return written
    return inline(written) if each.kind != "toml" else _toml(each.name, written)


def _toml(name: str, written: str) -> str:
    """A value, or the lines as they would stand in the file: [[plugins.ID.NAME]], [[NAME]] or NAME = ..."""
    try:
        tomllib.loads(f"{AHEAD}{written}")  # tomlkit takes line breaks that no other reader takes
    except tomllib.TOMLDecodeError as error:
        try:
            found: Any = tomllib.loads(written)
        except tomllib.TOMLDecodeError:
            found = {}
        while isinstance(found, dict) and name not in found and len(found) == 1:
            found = next(iter(found.values()))
        if not isinstance(found, dict) or name not in found:
            where = re.sub(r"line 1, column (\d+)", _without_ahead, str(error))
            raise ValueError(where) from None
        return inline(found[name])
    tomlkit.value(written)
    return written


def _without_ahead(found: re.Match[str]) -> str:
    return f"line 1, column {int(found[1]) - len(AHEAD)}"


def check(
    model: type[BaseModel], table: Mapping[str, Any], folder: Path | None, known: Callable[[str], str | None]
) -> dict[str, Fault]:
    """What the model says about a table, by field, with the environment's values; never repeats a secret."""
    errors: dict[str, Fault] = {}
    values = {key: held for key, held in table.items() if key not in OF_THE_SHOP}
    for key, held in values.items():
        unset = [name for name in names_in(held) if not known(name)]
        if unset:
            errors[key] = Fault("unset", values={"name": unset[0]})
    fields = {each.name: each for each in form_of(model, values)}
    values = {key: _resolved(held, known) for key, held in values.items()}
    secrets = [
        one
        for key, held in values.items()
        if key not in fields or fields[key].kind in ("secret", "closed")
        for one in texts_in(held)
        if len(one) >= 4
    ]
    try:
        model.model_validate(values, context={"folder": folder})
    except ValidationError as error:
        for fault in error.errors(include_input=False, include_url=False):
            where = str(fault["loc"][0]) if fault["loc"] else ""
            said = fault["msg"].removeprefix("Value error, ")
            for secret in secrets:
                said = said.replace(secret, HIDDEN)
            numbers = {key: held for key, held in fault.get("ctx", {}).items() if key != "error"}
            inside = ".".join(str(part) for part in fault["loc"][1:])
            errors.setdefault(where, Fault(fault["type"], said, numbers, inside))
    return errors


def names_in(held: Any) -> Iterator[str]:
    """The environment variables that a value names as env:NAME."""
    for one in texts_in(held):
        if one.startswith("env:"):
            yield one[4:]


def _resolved(held: Any, known: Callable[[str], str | None]) -> Any:
    if isinstance(held, str):
        return (known(held[4:]) or "") if held.startswith("env:") else held
    if isinstance(held, Mapping):
        return {key: _resolved(each, known) for key, each in held.items()}
    return [_resolved(each, known) for each in held] if isinstance(held, list | tuple) else held
