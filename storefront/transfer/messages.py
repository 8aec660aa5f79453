"""One table from a problem of an import to its sentence: what is wrong and what is allowed.

Translated when it is said, so that the pure core knows no language.
"""

from storefront.language import N_, _, language
from storefront.transfer.records import RowError

SENTENCES = {
    # the file
    "file_too_big": N_("The file has %(have)s bytes; at most %(limit)s are read at once. Split it."),
    "too_many_rows": N_("The file has more than %(limit)s rows. Split it."),
    "more_errors": N_("There are more errors after this line; mend these first."),
    "empty": N_("The file is empty. The first line names the columns."),
    "utf16": N_("The file is in UTF-16. Save it as CSV in UTF-8 or in Shift_JIS (CP932)."),
    "encoding": N_("The file is neither UTF-8 nor Shift_JIS (CP932) from this line on. Save it in one."),
    "nul": N_("There is a NUL character in this line. A text file has none; export the file again."),
    "quote": N_(
        "A quotation mark is out of place, or never closed. Inside a quoted cell it is written twice."
    ),
    "cell_too_long_or_open": N_("A cell is far too long, or its quotation mark is never closed."),
    "separator": N_("The columns are not separated by commas. Save the file as CSV with commas."),
    "key_missing": N_("The column %(column)s is missing; it says which row is which."),
    "unknown_column": N_("There is no column “%(value)s”. Allowed are: %(allowed)s."),
    "unknown_column_near": N_("There is no column “%(value)s”. The nearest one is %(near)s."),
    "column_twice": N_("The column “%(value)s” stands here twice."),
    "cell_count": N_("This row has %(have)s cells, the first line has %(want)s."),
    "table_name": N_("“%(value)s” is not a file name of a price table. Write it like acme.csv."),
    # a cell
    "required": N_("This cell may not be empty."),
    "repeated": N_("“%(value)s” already stands in line %(first)s. Each may stand in the file once."),
    "too_long": N_("The text has %(have)s characters; at most %(limit)s are allowed."),
    "control": N_("The cell holds the control character %(character)s. Type the text again."),
    "line_break": N_("No line breaks and tabs in this column; write it on one line."),
    "forbidden": N_("“%(value)s” holds %(characters)s, which is not allowed here."),
    "category": N_("“%(value)s” is not a category. Write it like fasteners/screws, without blanks."),
    "whole": N_("“%(value)s” is not allowed: a whole number from %(least)s to %(most)s."),
    "price": N_("“%(value)s” is not allowed: a number from 0 such as 1200 or 97.5, to 6 decimals."),
    "minor": N_("%(value)s has more decimals than %(currency)s."),
    "flag": N_("“%(value)s” is not allowed: true or false."),
    "one_of": N_("“%(value)s” is not allowed. Allowed are: %(allowed)s."),
    "pattern": N_("“%(value)s” is not allowed. Write it like %(example)s."),
    # a row
    "name_missing": N_("A name is needed in at least one language: name_ja or name_en."),
    "unit_pair": N_("unit and pieces_per_unit belong together: fill both, such as m and 100, or neither."),
    "terms_both": N_("net_days stands alone: leave closing_day, pay_month and pay_day empty."),
    "terms_part": N_(
        "Payment terms are closing_day, pay_month and pay_day, or net_days; missing: %(missing)s."
    ),
    "closing_day": N_("The day %(value)s is not allowed: 1 to 28, or 31 for the end of the month."),
    "region_country": N_("The region %(value)s is not in the country %(country)s."),
    # against the shop
    "below_reserved": N_(
        "%(value)s is less than the %(reserved)s pieces reserved for orders. Ship or cancel these first."
    ),
    "new_category": N_("The category %(value)s is new and will be made."),
}


def say(error: RowError) -> str:
    """The sentence of an error, without its place. What the rules say is handed on in their words."""
    if error.problem == "rule":
        return str(error.values["ja" if language() == "ja" else "message"])
    return _(SENTENCES[error.problem], **error.values)


def place(error: RowError) -> str:
    """Where it is: the line, and the column when one is meant."""
    if error.column:
        return _("Line %(line)s, column %(column)s", line=error.line, column=error.column)
    return _("Line %(line)s", line=error.line)
