"""Which test of the kit must find which broken provider."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from plugins.testing import Subject
from support.kit_subjects import subject

BROKEN: dict[type, tuple[str, Callable[[Any], Subject]]] = {}


def breaks(test: str, build: Callable[[Any], Subject] = subject) -> Callable[[type], type]:
    """The test of the kit that must find this one."""

    def note(provider: type) -> type:
        BROKEN[provider] = (test, build)
        return provider

    return note
