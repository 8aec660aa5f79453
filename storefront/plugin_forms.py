"""A form out of a plugin's settings model, and shop.toml's [plugins.ID] as it would read. Pure: nothing is written.

A secret is never shown and never taken: the form asks for the name of an environment variable instead.
"""

from __future__ import annotations

import copy
import re
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import tomlkit
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_core import PydanticUndefined
from tomlkit.exceptions import TOMLKitError

ENV = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]{0,80}")
LONGEST = 5_000
_KEPT = "koguchi-keeps-this-line"
_NEXT = re.compile(r"\n[ \t]*\n(?:[ \t]*(?:#.*)?\n)*\Z")  # what follows a blank line speaks of the next table

Kind = Literal["secret", "flag", "choice", "number", "text", "lines", "toml"]


@dataclass(frozen=True, slots=True)
class Field:
    """One setting as the form shows it. `value` is what stands in shop.toml, never a secret."""

    name: str
    kind: Kind
    about: str
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


@dataclass
class Draft:
    """What [plugins.ID] would be: the text to paste, or why not, by field ("" for the whole)."""

    toml: str = ""
    errors: dict[str, str] = field(default_factory=dict)


def form_of(model: type[BaseModel], table: Mapping[str, Any]) -> list[Field]:
    """Every setting of the model, with what `table` (read by tomlkit) holds."""
    return [_field(name, info, table) for name, info in model.model_fields.items()]


def _field(name: str, info: Any, table: Mapping[str, Any]) -> Field:
    annotation = _plain(info.annotation)
    kind, held = _kind(annotation), table.get(name)
    many = get_origin(annotation) in (tuple, list, set, frozenset)
    value = "" if held is None else _shown(kind, held)
    is_kept = False
    if kind == "secret" and held is not None:
        names = value.splitlines()
        is_kept = not all(ENV.fullmatch(one) for one in names) or not names
        value = "" if is_kept else value
    default = info.get_default(call_default_factory=False)
    told = "" if kind == "secret" or default in (PydanticUndefined, None) else _shown(kind, _bare(default))
    choices = tuple(str(one) for one in get_args(annotation)) if kind == "choice" else ()
    about = info.description or ""
    return Field(name, kind, about, info.is_required(), told[:200], value, choices, is_kept, many)


def _plain(annotation: Any) -> Any:
    """Without Annotated and `| None`."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        rest = [one for one in get_args(annotation) if one is not type(None)]
        return _plain(rest[0]) if len(rest) == 1 else annotation
    return annotation


def _kind(annotation: Any) -> Kind:
    if _hides(annotation):
        return "secret"
    if get_origin(annotation) is Literal:
        return "choice"
    if annotation is bool:
        return "flag"
    if annotation in (int, float, Decimal):
        return "number"
    if annotation is str or (isinstance(annotation, type) and issubclass(annotation, Path)):
        return "text"
    inner = [one for one in get_args(annotation) if one is not Ellipsis]
    if get_origin(annotation) in (tuple, list, set, frozenset) and {_plain(one) for one in inner} <= {
        str,
        Path,
    }:
        return "lines"
    return "toml"


def _hides(annotation: Any, depth: int = 0) -> bool:
    """Whether a secret stands anywhere in a value of this type."""
    if annotation is SecretStr:
        return True
    if depth < 8 and isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return any(_hides(info.annotation, depth + 1) for info in annotation.model_fields.values())
    return depth < 8 and any(_hides(one, depth + 1) for one in get_args(annotation))


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
    value = _bare(held.unwrap() if hasattr(held, "unwrap") else held)
    if kind in ("lines", "secret"):
        return "\n".join(str(one) for one in (value if isinstance(value, list) else [value]))
    if kind == "toml":
        return _inline(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        pairs = (f"{tomlkit.key(key).as_string()} = {_inline(each)}" for key, each in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(each) for each in value) + "]"
    return str(value) if isinstance(value, Decimal) else str(tomlkit.item(value).as_string())


def draft_of(
    name: str,
    model: type[BaseModel],
    document: Mapping[str, Any],
    sent: Mapping[str, str],
    *,
    enabled: bool,
    folder: Path | None,
) -> Draft:
    """[plugins.NAME] with the form's values laid over what stands there, comments kept, checked by the model."""
    plugins = document.get("plugins", {})
    held = plugins.get(name) if isinstance(plugins, Mapping) else None
    table: Any = copy.deepcopy(held) if isinstance(held, tomlkit.items.Table) else tomlkit.table()
    draft = Draft()
    table["enabled"] = enabled
    for each in form_of(model, table):
        if each.name in sent:
            _lay(table, each, sent[each.name].replace("\r\n", "\n").strip()[:LONGEST], draft)
    _check(table, model, folder, draft)
    if draft.errors:
        return draft
    for each in form_of(model, table):
        if each.is_kept:
            table[each.name] = _KEPT
    above, out = tomlkit.table(is_super_table=True), tomlkit.document()
    above.append(name, table)
    out.append("plugins", above)
    text = _NEXT.sub("\n", tomlkit.dumps(out))
    draft.toml = (
        re.sub(rf'(?m)^([^\s=]+)\s*=\s*"{_KEPT}".*$', r"# \1 = (keep your line)", text).strip() + "\n"
    )
    return draft


def _lay(table: Any, each: Field, written: str, draft: Draft) -> None:
    """One value of the form; what was not changed stays exactly as it is written in the file."""
    if written == each.value:
        return
    if each.kind == "secret":
        names = [one.strip() for one in written.split("\n") if one.strip()]
        if not all(ENV.fullmatch(one) for one in names):
            draft.errors[each.name] = "secret"
        elif names:
            table[each.name] = names if each.many else names[0]
        elif not each.is_kept:
            del table[each.name]
    elif not written:
        table.pop(each.name, None)
    else:
        try:
            table[each.name] = _value(each, written)
        except (TOMLKitError, ValueError):
            draft.errors[each.name] = "toml"


def _value(each: Field, written: str) -> Any:
    if each.kind == "lines":
        return [one.strip() for one in written.split("\n") if one.strip()]
    if each.kind == "flag":
        return written == "true"
    if each.kind in ("number", "toml"):
        return tomlkit.value(written)
    return written


def _check(table: Any, model: type[BaseModel], folder: Path | None, draft: Draft) -> None:
    """Ask the model, with something in the place of every secret; its words name the field."""
    values = {key: value for key, value in table.unwrap().items() if key not in ("enabled", "priority")}
    secrets = {each.name for each in form_of(model, table) if each.kind == "secret"}
    scalars = {each.name for each in form_of(model, table) if each.kind == "secret" and not each.many}
    values = {key: "x" * 40 if key in scalars else value for key, value in values.items()}
    try:
        model.model_validate(values, context={"folder": folder})
    except ValidationError as error:
        for fault in error.errors(include_input=False, include_url=False, include_context=False):
            where = str(fault["loc"][0]) if fault["loc"] else ""
            if where in secrets and fault["type"] != "missing":
                continue  # its true value is not known here
            draft.errors.setdefault(where, fault["msg"].removeprefix("Value error, "))
