"""Where secrets stand in the settings of a plugin, by their types. Pure: what hides them stands with its message."""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, SecretBytes, SecretStr

DEEPEST = 8  # a model may hold itself


def secrets_in(value: object) -> list[str]:
    """The texts of every secret in settings that were read."""
    if isinstance(value, SecretStr | SecretBytes):
        bare = value.get_secret_value()
        text = bare.decode("utf-8", "replace") if isinstance(bare, bytes) else bare
        return [text] if text else []
    if isinstance(value, BaseModel):
        return [text for name in type(value).model_fields for text in secrets_in(getattr(value, name))]
    if isinstance(value, Mapping):
        return [text for each in value.values() for text in secrets_in(each)]
    if isinstance(value, list | tuple | set | frozenset):
        return [text for each in value for text in secrets_in(each)]
    return []


def holds_a_secret(annotation: Any, depth: int = 0) -> bool:
    """Whether a secret may stand anywhere in a value of this type."""
    if annotation in (SecretStr, SecretBytes):
        return True
    if depth >= DEEPEST:
        return False
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        parts: Any = (each.annotation for each in annotation.model_fields.values())
    else:
        parts = get_args(annotation)
    return any(holds_a_secret(each, depth + 1) for each in parts)


def texts_in(value: Any) -> Iterator[str]:
    """Every text in a value as TOML has it."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from texts_in(each)
