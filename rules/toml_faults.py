"""What is wrong with a text that is no TOML, in words for somebody who is no programmer.

tomllib says where it stopped; the common faults are recognised there, the others keep its own words.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from rules.report import nearest, written_factor
from rules.said import Said, say
from rules.toml_lines import TOKEN

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
# Typed with the Japanese input still on; letters and kana are left alone.
_WIDE = re.compile("[\u3000！-／：-＠［-｀｛-～０-９“”„‘’、。「」−]+")
_HALF = str.maketrans("“”„「」‘’、。−\u3000", '"' * 5 + "'',.- ")
_WORDS = ("True", "False", "TRUE", "FALSE", "yes", "no", "None", "null")
_LISTS = ("case", "price.breaks", "quantity.below", "order.below", "lead_time.tiers", "tax.rates")
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_NUMBER = re.compile(r"[¥$]?([+-]?[\d,]*\.?\d*)(.*)", re.S)
_MOST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class TomlFault:
    line: int
    said: Said
    hint: Said | None = None


def find_fault(text: str, message: str) -> TomlFault:
    """The fault that made tomllib refuse the text with that message."""
    place = _PLACE.search(message)
    lines = text.split("\n")
    at_end = place is None or place.group(1) is None
    line = len(lines) if place is None or place.group(1) is None else int(place.group(1))
    column = len(lines[-1]) + 1 if place is None or place.group(1) is None else int(place.group(2))
    what = message[: place.start()] if place else message
    return (
        _wide(lines, line)
        or _string(text, lines, line, what)
        or _bracket(text, lines, line, column, what, at_end)
        or _header(lines, line, what)
        or _twice(lines, line, what)
        or _statement(lines, line, column, what)
        or TomlFault(line, say("toml.other", reason=what))
    )


def _excerpt(written: str) -> str:
    text = "".join(char if char.isprintable() else " " for char in written).strip()
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 3] + "..."


def _wide(lines: list[str], line: int) -> TomlFault | None:
    """Full-width signs outside of texts, where TOML knows only half-width ones."""
    written = bare = lines[line - 1]
    for match in TOKEN.finditer(written):
        token = match.group()
        if token[0] == "#":
            bare = bare[: match.start()]
            break
        if token[0] in "\"'":
            if not _is_closed(token) and (wide := re.search("[“”„‘’＂]", token)):
                said = say("toml.wide", signs=wide.group())
                return TomlFault(line, said, say("toml.wide-hint", half=token[0]))
            bare = bare[: match.start()] + "." * len(token) + bare[match.end() :]
    wide = _WIDE.search(bare)
    if wide is None:
        return None
    signs = wide.group()
    half = unicodedata.normalize("NFKC", signs.translate(_HALF))
    if not half.strip():
        return TomlFault(line, say("toml.wide-space", line=_excerpt(written)), say("toml.wide-space-hint"))
    return TomlFault(line, say("toml.wide", signs=signs.strip()), say("toml.wide-hint", half=half.strip()))


def _is_closed(token: str) -> bool:
    for quote in ('"""', "'''", '"', "'"):
        if token.startswith(quote):
            return len(token) >= 2 * len(quote) and token.endswith(quote)
    return True


def _string(text: str, lines: list[str], line: int, what: str) -> TomlFault | None:
    if what.startswith("Unescaped"):
        return TomlFault(
            line, say("toml.backslash", line=_excerpt(lines[line - 1])), say("toml.backslash-hint")
        )
    if not what.startswith(("Illegal character '\\n'", 'Expected "', "Expected '\"", "Unterminated")):
        return None
    at = 1
    for match in TOKEN.finditer(text):
        token = match.group()
        if token[0] in "\"'" and not _is_closed(token):
            written = lines[at - 1]
            quote = token[:3] if token[:3] in ('"""', "'''") else token[0]
            said = say("toml.quote", line=_excerpt(written))
            hint = say("toml.quote-hint", quote=quote)
            if len(quote) == 3:
                hint = say("toml.quote-long-hint", quote=quote)
            return _wide(lines, at) or TomlFault(at, said, hint)
        at += token.count("\n")
    return None


def _bracket(
    text: str, lines: list[str], line: int, column: int, what: str, at_end: bool
) -> TomlFault | None:
    """A list or {...} that is not closed: told where it opens, for the parser notices it much later."""
    if not what.startswith("Unclosed"):
        return None
    end = len(text) if at_end else sum(len(one) + 1 for one in lines[: line - 1]) + column - 1
    opened: list[tuple[str, int]] = []
    at = 1
    for match in TOKEN.finditer(text, 0, end):
        sign = match.group()
        if sign in ("[", "{"):
            opened.append((sign, at))
        elif sign in ("]", "}") and opened:
            opened.pop()
        at += sign.count("\n")
    if not opened:
        return None
    sign, first = opened[-1]
    for place in range(first, line):
        if wide := _wide(lines, place):
            return wide
    if sign == "{" and _has_odd_quotes(lines[first - 1]):
        return TomlFault(first, say("toml.quote", line=_excerpt(lines[first - 1])), say("toml.quote-count"))
    rest = "" if at_end else lines[line - 1][column - 1 :]
    if rest[:1] in [*"{\"'0123456789"] and not re.match(r"[\w\"'.-]+\s*=", rest):
        return TomlFault(line, say("toml.comma", line=_excerpt(lines[line - 1])), say("toml.comma-hint"))
    said = say("toml.bracket", sign=sign, line=_excerpt(lines[first - 1]))
    close = say("toml.bracket-hint", sign="]") if sign == "[" else say("toml.brace-hint")
    return TomlFault(first, said, close)


def _has_odd_quotes(written: str) -> bool:
    """Whether a quotation mark of the line has no other: a brace looks open where a text swallowed its end."""
    return len(re.findall(r'(?<!\\)"', written)) % 2 == 1


def _header(lines: list[str], line: int, what: str) -> TomlFault | None:
    written = lines[line - 1]
    bare = written.partition("#")[0].strip()
    if not bare.startswith("[") or what.startswith("Cannot"):
        return None
    signs = "[[ ]]" if bare.startswith("[[") else "[ ]"
    name = bare.strip("[] ")
    if not name.isascii() and bare.endswith("]"):
        return TomlFault(line, say("toml.foreign-table", name=_excerpt(bare)), say("toml.table-hint"))
    right = f"[[{name}]]" if signs == "[[ ]]" else f"[{name}]"
    hint = say("hint.write", value=right) if re.fullmatch(r"[\w.\"-]+", name) else None
    return TomlFault(line, say("toml.header", line=_excerpt(written)), hint)


def _twice(lines: list[str], line: int, what: str) -> TomlFault | None:
    if not what.startswith(("Cannot", "Duplicate")):
        return None
    written = lines[line - 1].strip()
    header = re.match(r"\[+\s*([^\[\]]+?)\s*\]", written)
    if header:
        name = header.group(1)
        same = re.compile(rf"\s*\[+\s*{re.escape(name)}\s*\]")
        title = f"[{name}]"
    else:
        inline = re.fullmatch(r"Duplicate inline table key '(.+)'", what)
        name = inline.group(1) if inline else written.partition("=")[0].strip()
        if inline:
            return TomlFault(line, say("toml.twice", name=name), say("toml.twice-hint"))
        same = re.compile(rf"\s*{re.escape(name)}\s*=")
        title = name
    hint = say("hint.write", value=f"[[{name}]]") if header and name in _LISTS else say("toml.twice-hint")
    for earlier in range(line - 1, 0, -1):
        if same.match(lines[earlier - 1]):
            return TomlFault(line, say("toml.twice-at", name=title, first=earlier), hint)
        if not header and lines[earlier - 1].lstrip().startswith("["):
            break
    return TomlFault(line, say("toml.twice", name=title), hint)


def _statement(lines: list[str], line: int, column: int, what: str) -> TomlFault | None:
    """A line that is neither `key = value` nor `[table]`, or whose value is no value."""
    written = lines[line - 1]
    if what.startswith("Expected '=' after"):
        return TomlFault(line, say("toml.equals", line=_excerpt(written)), say("toml.equals-hint"))
    if what.startswith("Invalid initial character") and re.search(r",\s*}", written):
        return TomlFault(line, say("toml.last-comma", line=_excerpt(written)), say("toml.last-comma-hint"))
    if what.startswith(("Invalid statement", "Invalid initial character")):
        hint = say("toml.key-hint") if _is_foreign_key(written) else say("toml.statement-hint")
        return TomlFault(line, say("toml.statement", line=_excerpt(written)), hint)
    is_inside = what == "Invalid value"
    if not is_inside and not what.startswith(("Expected newline", "Invalid date", "Invalid hex")):
        return None
    value = written[column - 1 :] if is_inside else written.partition("=")[2]
    return _value(line, written, value.partition("#")[0].strip())


def _is_foreign_key(written: str) -> bool:
    """Whether some key of the line, before any "=" outside of texts and remarks, is no English word."""
    bare = re.sub(r'"[^"]*"|\'[^\']*\'', '""', written).partition("#")[0]
    return any(not key.isascii() for key in re.findall(r"([^\s,{}=]+)\s*=", bare))


def _value(line: int, written: str, value: str) -> TomlFault:
    word = re.split(r"[,\]}\s]", value, maxsplit=1)[0]
    if not any(char.isalnum() or char in "[{\"'" for char in word):
        return TomlFault(line, say("toml.no-value", line=_excerpt(written)), say("toml.no-value-hint"))
    if word in _WORDS:
        said = say("toml.word", word=word)
        return TomlFault(line, said, nearest(word, ("true", "false")) or say("hint.leave-out"))
    if day := _DAY.match(value):
        return TomlFault(line, say("toml.date", value=_excerpt(value)), _day_hint(day))
    if re.fullmatch(r"\d{1,2}:\d{2}(?::\d{2})?", word):
        return TomlFault(line, say("toml.time", value=word), say("hint.write", value=f'"{word}"'))
    if "=" in value and value[0] not in "[{\"'":
        return TomlFault(line, say("toml.two-keys", line=_excerpt(written)), say("toml.two-keys-hint"))
    number = _NUMBER.match(unicodedata.normalize("NFKC", value))
    if number and any(char.isdigit() for char in number.group(1)):
        hint = _factor_hint(written, value) or _number_hint(*number.groups())
        return TomlFault(line, say("toml.number", value=_excerpt(value)), hint)
    if value[0] in "\"'[{":
        return TomlFault(line, say("toml.behind", line=_excerpt(written)), say("toml.behind-hint"))
    text = re.split(r"[,\]}]", value, maxsplit=1)[0].strip().strip("\"'")
    return TomlFault(
        line, say("toml.unquoted", text=_excerpt(text)), say("hint.write", value=f'"{_excerpt(text)}"')
    )


def _day_hint(found: re.Match[str]) -> Said:
    try:
        day = date(*map(int, found.groups()))
    except ValueError:
        return say("toml.no-day")
    return say("hint.write", value=day) if found.group() != day.isoformat() else say("hint.bare-date")


def _factor_hint(written: str, value: str) -> Said | None:
    """65% of the list price is the factor 0.65."""
    key = written.partition("=")[0].strip()
    factor = written_factor(value) if key == "rate" else None
    return say("hint.write", value=factor) if factor else None


def _number_hint(digits: str, rest: str) -> Said:
    """The number as it should be written, where nothing but commas and zeros too many are wrong."""
    plain = digits.replace(",", "").rstrip(".")
    whole, point, decimals = plain.partition(".")
    plain = (whole.lstrip("+0") or "0") + point + decimals
    return say("hint.write", value=plain) if not rest.strip() else say("toml.bare-number", value=plain)
