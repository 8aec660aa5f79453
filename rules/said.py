"""Sentences for readers of two languages: a key of rules/messages with its values, filled only when it is printed.

Nothing here knows what is wrong; a value may be a sentence itself, such as the nearest known word.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

LANGUAGES = ("en", "ja")
_JOIN = "join."


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence, or a piece of one. str() is English, which JSON and the plain output speak."""

    key: str
    values: tuple[tuple[str, Any], ...] = ()

    def text(self, language: str) -> str:
        """The sentence in "ja" or "en"."""
        from rules.messages import SENTENCES  # hundreds of sentences, needed only when one is printed

        english, japanese = SENTENCES[self.key]
        sentence = japanese if language == "ja" else english
        if self.key.startswith(_JOIN):
            return sentence.join(str(_filled(part, language)) for _, part in self.values)
        text = sentence.format_map({name: _filled(value, language) for name, value in self.values})
        return text.replace("。。", "。")  # of a whole sentence inside another

    def __str__(self) -> str:
        return self.text("en")


Sentence = Said | str  # a plain text is the same in both languages


def say(key: str, /, **values: Any) -> Said:
    """The sentence of that key. Values are texts, numbers, dates, or pieces in both languages."""
    return Said(key, tuple(values.items()))


def both(english: str, japanese: str) -> Said:
    """A piece whose two texts stand in another table, such as the meaning of a key."""
    return Said("both", (("en", english), ("ja", japanese)))


def joined(key: str, parts: Iterable[Any]) -> Said:
    """Pieces one after another; the key says what stands between them: join.comma, join.and ..."""
    return Said(key, tuple((str(place), part) for place, part in enumerate(parts)))


def in_language(sentence: Sentence | None, language: str) -> str:
    """The text of a sentence, a plain text or nothing."""
    if sentence is None:
        return ""
    return sentence.text(language) if isinstance(sentence, Said) else sentence


def hint_of(check: str) -> Said | None:
    """What to do about any finding of a check; None where only the finding itself can say."""
    from rules.messages import SENTENCES

    key = f"todo.{check}"
    return Said(key) if key in SENTENCES else None


def _filled(value: Any, language: str) -> Any:
    return value.text(language) if isinstance(value, Said) else value
