"""Rows of a CSV file with line numbers: UTF-8 with or without BOM, RFC 4180, cells not yet trimmed.

A broken file is a finding with its line; nothing is guessed except CP932, where the caller allows it.
"""

import csv
import io
from collections.abc import Iterator

from rules.report import Report
from rules.said import Said, say


class CsvFile:
    """Iterates (line, cells) after the header; `header` holds the trimmed names. Stops at the first broken row."""

    def __init__(self, report: Report, path: str, content: bytes, allow_cp932: bool = False) -> None:
        self.report = report
        self.path = path
        self.header: list[str] = []
        self._reader = None
        encoding = self._encoding(content, allow_cp932)
        if encoding is None:
            return
        stream = io.TextIOWrapper(io.BytesIO(content), encoding=encoding, newline="")
        self._reader = csv.reader(stream, strict=True)
        for _, cells in self:
            self.header = [cell.strip() for cell in cells]
            break
        if not self.header:
            self._problem(1, say("csv.no-header", path=path))
            self._reader = None
            return
        repeated = sorted({name for name in self.header if name and self.header.count(name) > 1})
        if repeated:
            self._problem(1, say("csv.column-twice", name=repeated[0]))

    @property
    def is_readable(self) -> bool:
        return self._reader is not None

    def _problem(self, line: int, said: Said) -> None:
        self.report.add("table-row", self.path, line, said)

    def _encoding(self, content: bytes, allow_cp932: bool) -> str | None:
        if (place := content.find(b"\0")) >= 0:
            self._problem(content.count(b"\n", 0, place) + 1, say("csv.nul"))
            return None
        try:
            content.decode("utf-8")
        except UnicodeDecodeError as error:
            if allow_cp932 and _is_cp932(content):
                return "cp932"
            line = content.count(b"\n", 0, error.start) + 1
            self.report.add("not-utf8", self.path, line, say("csv.not-utf8"), say("csv.save-as-utf8"))
            return None
        return "utf-8-sig"

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        reader = self._reader
        if reader is None:
            return
        try:
            for cells in reader:
                if cells:
                    yield reader.line_num, cells
        except csv.Error as error:
            self._problem(reader.line_num, say("csv.row", reason=error))


def _is_cp932(content: bytes) -> bool:
    try:
        content.decode("cp932")
    except UnicodeDecodeError:
        return False
    return True
