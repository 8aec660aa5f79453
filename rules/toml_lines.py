"""TOML text to depth and to line numbers: tomllib gives neither. Linear in the text, never recursive.

`too_deep` runs before tomllib and must survive text that is no TOML; `lines_of` runs on text tomllib accepted.
"""

import re
from collections.abc import Iterator, Mapping

# Possessive repeats everywhere: no text can make these patterns go back.
_STRINGS = (
    r'"""(?:[^"\\]|\\.|"(?!""))*+(?:"{3,5})?+' + r"|'''(?:[^']|'(?!''))*+(?:'{3,5})?+"
    r'|"(?:[^"\\\n]|\\.)*+"?+' + r"|'[^'\n]*+'?+"
)
_STRUCTURE = re.compile(_STRINGS + r"|\#[^\n]*+|[\[\]{}=,.\n]", re.S)
TOKEN = re.compile(_STRINGS + r"|\#[^\n]*+|[\[\]{}=,.\n]|[A-Za-z0-9_-]++|[^\s]", re.S)


def too_deep(text: str, levels: int) -> int:
    """The line on which values nest deeper than `levels`, or 0. A table, an array, a dotted key: one level each."""
    line, depth, dots, brackets = 1, 0, 0, 0
    in_header, in_value = False, False
    stack: list[tuple[str, int]] = []
    for match in _STRUCTURE.finditer(text):
        first = match.group()[0]
        if first == "\n":
            line += 1
            if not stack:
                depth += dots if in_header else 0
                in_header, in_value, dots = False, False, 0
        elif first in "\"'":
            line += match.group().count("\n")
        elif first == ".":
            dots += not in_value
        elif first == "=":
            in_value = True
        elif first in "[{":
            if first == "[" and not stack and not in_value:
                brackets = brackets + 1 if in_header else 1
                in_header, depth, dots = True, max(1, brackets - 1), 0
            else:
                stack.append((first, depth))
                depth, dots, in_value = depth + dots + 1, 0, first == "["
        elif first in "]}":
            if stack:
                depth = stack.pop()[1]
                in_value = True
        elif first == "," and stack and stack[-1][0] == "{":
            in_value, dots = False, 0
        if depth + dots > levels:
            return line
    return 0


class Lines(Mapping[str, int]):
    """Dotted key path to 1-based line, `quantity.below.0.at_least`; made from the text when first asked."""

    __slots__ = ("_found", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._found: dict[str, int] | None = None

    def _lines(self) -> dict[str, int]:
        if self._found is None:
            self._found = lines_of(self._text)
        return self._found

    def __getitem__(self, path: str) -> int:
        return self._lines()[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines())

    def __len__(self) -> int:
        return len(self._lines())


def lines_of(text: str) -> dict[str, int]:
    """Every table, key and array element of a valid TOML text, by path; elements only where a new line begins."""
    return _Scan(text).found


class _Scan:
    """One walk over the tokens. A frame is [path, index, line]: index counts array elements, -1 in a table."""

    def __init__(self, text: str) -> None:
        self.found: dict[str, int] = {}
        self.arrays: dict[str, int] = {}  # arrays of tables: path to the last index
        self.table = ""
        self.frames: list[list[object]] = []
        self.key: list[str] = []
        self.value_path = ""
        self.in_value = self.in_header = self.is_array = False
        self.line = 1
        for match in TOKEN.finditer(text):
            self._take(match.group())

    def _take(self, token: str) -> None:
        first = token[0]
        if first == "\n":
            self._end_line()
            self.line += 1
        elif first == "#":
            return
        elif first in "[{" and (self.in_value or self.in_header or first == "["):
            self._open(first)
        elif first in "]}":
            if self.frames:
                self.frames.pop()
                self.in_value = True
        elif first == "=":
            self._begin_value()
        elif first == ",":
            self._next()
        elif self.in_value:
            self._element()
            self.line += token.count("\n") if first in "\"'" else 0
        elif first != ".":
            self.key.append(_name(token))

    def _end_line(self) -> None:
        if self.frames:
            return
        if self.in_header:
            self._enter_table()
        self.in_header = self.in_value = False
        self.key = []

    def _open(self, bracket: str) -> None:
        if not self.in_value and not self.frames:
            self.is_array = self.in_header  # the second [ of [[...]]
            self.in_header, self.key = True, []
            return
        self._element()
        path = self._here()
        self.frames.append([path, 0 if bracket == "[" else -1, self.line])
        self.in_value, self.key = bracket == "[", []
        self.value_path = path

    def _here(self) -> str:
        """The path of the value that begins now."""
        if self.frames and self.frames[-1][1] != -1:
            return f"{self.frames[-1][0]}.{self.frames[-1][1]}"
        return self.value_path

    def _element(self) -> None:
        """Notes an array element that begins on another line than its array."""
        if self.frames and self.frames[-1][1] != -1 and self.frames[-1][2] != self.line:
            self.found.setdefault(self._here(), self.line)

    def _begin_value(self) -> None:
        path = str(self.frames[-1][0]) if self.frames else self.table
        for part in self.key:
            path = f"{path}.{part}" if path else part
            self.found.setdefault(path, self.line)
        self.value_path, self.in_value, self.key = path, True, []

    def _next(self) -> None:
        if not self.frames:
            return
        frame = self.frames[-1]
        if frame[1] == -1:
            self.in_value, self.key = False, []
        else:
            frame[1] = int(str(frame[1])) + 1

    def _enter_table(self) -> None:
        path = ""
        for place, part in enumerate(self.key):
            path = f"{path}.{part}" if path else part
            is_last = place == len(self.key) - 1
            if is_last and self.is_array:
                self.arrays[path] = self.arrays.get(path, -1) + 1
                self.found.setdefault(path, self.line)
            else:
                self.found.setdefault(path, self.line)
            if path in self.arrays:
                path = f"{path}.{self.arrays[path]}"
                self.found.setdefault(path, self.line)
        self.table, self.is_array = path, False


def _name(token: str) -> str:
    if token[0] == "'":
        return token[1:-1]
    if token[0] != '"':
        return token
    if "\\" not in token:
        return token[1:-1]
    import tomllib  # escapes in a key are rare; tomllib knows them all

    return str(tomllib.loads(f"k = {token}")["k"])
