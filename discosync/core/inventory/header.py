"""The header of the inventory CSV, and records that cannot be read.

The export's form (observed, August 2026): UTF-8, CRLF after every record, minimal quoting, 19
columns. Columns have come and gone before, so they are read by name, and only `listing_id`,
`release_id`, `status` and `price` are required. A byte-order mark, bare line feeds and another
order are accepted.

The pages are spooled in the same form with further columns, so that one parser
(`record_parser`), and with it one content hash, serves every source.

A fault in the *structure* (a cut, a wrong number of fields) makes the whole file unusable:
`BadData`. A fault in one record's *values* makes a `RejectedRecord`, a value with a reason.
"""

from dataclasses import dataclass

from discosync.core.inventory.columns import CORE_COLUMNS, FIELD_BY_COLUMN, PAST_COLUMNS
from discosync.core.inventory.records import RawRecord
from discosync.errors import BadData


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRecord:
    """A record with an impossible value; `listing_id` is None when that is unreadable, too."""

    line: int
    reason: str
    listing_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The columns of one file, in its order."""

    columns: tuple[str, ...]

    @property
    def unknown(self) -> tuple[str, ...]:
        """Columns that this version of discosync does not know."""
        known = {*FIELD_BY_COLUMN, "listing_id", ""}
        return tuple(c for c in self.columns if c not in known)

    @property
    def is_guarded(self) -> bool:
        """Whether the file is our own CSV for people, see `guarded`."""
        return self.columns == PAST_COLUMNS

    @property
    def nameless(self) -> tuple[int, ...]:
        """The indexes of columns without a name: a spreadsheet keeps columns that were emptied."""
        return tuple(index for index, name in enumerate(self.columns) if not name)

    @property
    def sees(self) -> frozenset[str]:
        """The fields that a file with this header shows."""
        return frozenset(FIELD_BY_COLUMN[c] for c in self.columns if c in FIELD_BY_COLUMN)


def parse_header(record: RawRecord | None) -> Header:
    """Read the header line; raise `BadData` when it is not the header of an inventory."""
    if record is None:
        raise BadData(
            "the inventory is empty: not even a header line",
            hint="nothing was changed; run again, or download the file again",
            code="no_header",
        )
    # A spreadsheet that saved the file may have put a byte-order mark in front.
    text = record.body.decode("utf-8-sig", errors="replace").strip()
    if text.startswith("<"):
        raise BadData(
            "this is a web page (HTML), not an inventory CSV",
            hint="nothing was changed; Discogs may be in maintenance, try again later",
            code="html_instead_of_csv",
        )
    columns = _split(text, ",")
    missing = [name for name in CORE_COLUMNS if name not in columns]
    if missing:
        if what := _spreadsheets_form(text):
            raise BadData(
                f"{what}: a spreadsheet has saved this file",
                hint="nothing was changed; download the export anew, or save the file as CSV with "
                "commas, in UTF-8",
                code="other_form",
            )
        raise BadData(
            f"the inventory has no column {', '.join(missing)}; its header is: {text[:300]}",
            hint="nothing was changed; is this a Discogs inventory export?",
            code="missing_column",
        )
    # Columns are read by name: with two of one name, nothing says which of them is right.
    twice = sorted({name for name in columns if name and columns.count(name) > 1})
    if twice:
        raise BadData(
            f"the inventory has the column {', '.join(twice)} more than once",
            hint="nothing was changed; is this a Discogs inventory export?",
            code="repeated_column",
        )
    return Header(columns=columns)


def _split(text: str, separator: str) -> tuple[str, ...]:
    return tuple(name.strip().strip('"').lower() for name in text.split(separator))


def _spreadsheets_form(text: str) -> str:
    """Say in which other form this is the header of an inventory; an empty text if it is none."""
    if text.strip('"').lower().startswith("sep="):
        return f"the first line is {text[:20]!r} instead of the names of the columns"
    if "\0" in text and all(name in text.replace("\0", "").lower() for name in CORE_COLUMNS):
        return "the file is in UTF-16 instead of UTF-8"
    for separator, name in _OTHER_SEPARATORS.items():
        if set(CORE_COLUMNS).issubset(_split(text, separator)):
            return f"the columns are separated by {name} instead of a comma"
    return ""


_OTHER_SEPARATORS = {";": 'a semicolon (";")', "\t": "a tab", "|": 'a bar ("|")'}
