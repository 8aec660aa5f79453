"""Bytes to lines of cells and back: encodings, quoting, limits. Pure; knows nothing of what the columns mean.

In: UTF-8 with or without BOM, or CP932. Out: UTF-8 with BOM (what spreadsheets open rightly) or CP932.
"""

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from storefront.transfer.cells import CP932_TWINS, control_character, neutralise, restore
from storefront.transfer.records import Limits, RowError

ENCODINGS = ("utf-8", "cp932")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file as cells. Rows carry the line where they begin; blank lines are left out."""

    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    errors: tuple[RowError, ...]
    encoding: str


class UncodableError(ValueError):
    """Cells that CP932 cannot hold: the characters, and the first line of the export where one stands."""

    def __init__(self, characters: str, line: int) -> None:
        super().__init__(characters)
        self.characters, self.line = characters, line


def decode(data: bytes) -> tuple[str, str] | RowError:
    """(text, encoding), or why the bytes are no text. CP932 is tried only when they are not UTF-8."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return RowError(1, None, "utf16")
    nul = data.find(b"\0")
    if nul >= 0:
        return RowError(_line_of(data, nul), None, "nul")
    try:
        return data.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError as error:
        utf8 = error.start
    if data.startswith(codecs.BOM_UTF8):
        return RowError(_line_of(data, utf8), None, "encoding")
    try:
        return data.decode("cp932"), "cp932"
    except UnicodeDecodeError as error:
        return RowError(_line_of(data, max(utf8, error.start)), None, "encoding")


def _line_of(data: bytes, at: int) -> int:
    return data.count(b"\n", 0, at) + 1


def parse(data: bytes, limits: Limits, *, delimiter: str | None = ",") -> Sheet:
    """The cells of a file. After an error of the whole file there are no rows.

    `delimiter` None: comma, semicolon or tab, whichever the first line has most of.
    """
    if len(data) > limits.size:
        error = RowError(1, None, "file_too_big", {"have": len(data), "limit": limits.size})
        return Sheet((), (), (error,), "utf-8")
    decoded = decode(data)
    if isinstance(decoded, RowError):
        return Sheet((), (), (decoded,), "utf-8")
    text, encoding = decoded
    rows: list[tuple[int, tuple[str, ...]]] = []
    errors: list[RowError] = []
    header: tuple[str, ...] = ()
    for line, cells in _lines(text, errors, delimiter or _delimiter(text)):
        if not header:
            header = tuple(cell.strip() for cell in cells)
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if len(rows) >= limits.rows:
            return Sheet(
                header, (), (RowError(line, None, "too_many_rows", {"limit": limits.rows}),), encoding
            )
        if len(errors) < limits.errors:
            errors += _faults(line, cells, header, limits)
        rows.append((line, tuple(restore(cell) for cell in cells)))
    if not header and not errors:
        errors.append(RowError(1, None, "empty"))
    return Sheet(header, tuple(rows), tuple(errors), encoding)


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(",;\t", key=first.count)


def _lines(text: str, errors: list[RowError], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(first line, cells) of each row; a broken quote ends the file with an error naming where it began."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    begins = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problem = "cell_too_long_or_open" if "field larger" in str(error) else "quote"
            errors.append(RowError(begins, None, problem))
            return
        if cells:
            yield begins, cells
        begins = reader.line_num + 1


def _faults(line: int, cells: Sequence[str], header: Sequence[str], limits: Limits) -> list[RowError]:
    """What is wrong with the shape of a row, whatever its columns mean."""
    found = []
    if len(cells) != len(header):
        found.append(RowError(line, None, "cell_count", {"have": len(cells), "want": len(header)}))
    for name, cell in zip(header, cells, strict=False):
        if len(cell) > limits.cell:
            found.append(RowError(line, name, "too_long", {"have": len(cell), "limit": limits.cell}))
        control = control_character(cell)
        if control:
            found.append(RowError(line, name, "control", {"character": control}))
    return found


def write(header: Sequence[str], rows: Iterable[Sequence[str]], encoding: str = "utf-8") -> bytes:
    """A file with every cell made harmless. Raises UncodableError rather than lose a character in CP932."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([neutralise(cell) for cell in header])
    for row in rows:
        writer.writerow([neutralise(cell) for cell in row])
    text = out.getvalue()
    if encoding == "utf-8":
        return text.encode("utf-8-sig")
    text = text.translate(CP932_TWINS)
    try:
        return text.encode("cp932")
    except UnicodeEncodeError as error:
        missing = dict.fromkeys(one for one in set(text) if not _in_cp932(one))
        raise UncodableError("".join(sorted(missing)), text.count("\n", 0, error.start) + 1) from error


def _in_cp932(character: str) -> bool:
    try:
        character.encode("cp932")
    except UnicodeEncodeError:
        return False
    return True
