"""The inventory CSV: its header, and one record into one `Listing`.

The export's form (observed, August 2026): UTF-8, CRLF after every record, minimal quoting, 19
columns. Columns have come and gone before, so they are read by name, and only `listing_id`,
`release_id`, `status` and `price` are required. A byte-order mark, bare line feeds and another
order are accepted.

The pages are spooled in the same form with further columns, so that one parser, and with it one
content hash, serves every source.

A fault in the *structure* (a cut, a wrong number of fields) makes the whole file unusable:
`BadData`. A fault in one record's *values* makes a `RejectedRecord`, a value with a reason.
"""

import csv
from dataclasses import dataclass

from discosync.core.columns import (
    CORE_COLUMNS,
    FIELD_BY_COLUMN,
    READER_BY_FIELD,
    parse_id,
    parse_listed,
    read_text,
)
from discosync.core.listing import Listing
from discosync.core.records import MAX_RECORD_BYTES, RawRecord
from discosync.errors import BadData

MAX_FIELD_BYTES = 128 * 1024
"""A longer field is quarantined: Discogs' own comment box holds far less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRecord:
    """A record whose values cannot be right; `listing_id` is None when even that is unreadable."""

    line: int
    reason: str
    listing_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The columns of one file, in its order."""

    columns: tuple[str, ...]

    @property
    def unknown(self) -> tuple[str, ...]:
        """Columns that this version has no place for."""
        return tuple(c for c in self.columns if c not in FIELD_BY_COLUMN and c != "listing_id")

    @property
    def sees(self) -> frozenset[str]:
        """The fields that a file with this header shows."""
        return frozenset(FIELD_BY_COLUMN[c] for c in self.columns if c in FIELD_BY_COLUMN)


def parse_header(record: RawRecord | None) -> Header:
    """Read the header line; raise `BadData` when it is not that of an inventory."""
    if record is None:
        raise BadData(
            "the inventory is empty: not even a header line",
            hint="nothing was changed; run again, or download the file again",
            code="no_header",
        )
    text = record.body.decode("utf-8-sig", errors="replace").strip()
    if text.startswith("<"):
        raise BadData(
            "this is a web page (HTML), not an inventory CSV",
            hint="nothing was changed; Discogs may be in maintenance, try again later",
            code="html_instead_of_csv",
        )
    columns = tuple(name.strip().strip('"').lower() for name in text.split(","))
    missing = [name for name in CORE_COLUMNS if name not in columns]
    if missing:
        raise BadData(
            f"the inventory has no column {', '.join(missing)}; its header is: {text[:300]}",
            hint="nothing was changed; is this a Discogs inventory export?",
            code="missing_column",
        )
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise BadData(
            f"the inventory has the column {', '.join(twice)} more than once",
            hint="nothing was changed; is this a Discogs inventory export?",
            code="repeated_column",
        )
    return Header(columns=columns)


class RecordParser:
    """Turns raw records of one file into listings.

    `currency` is that of the seller's prices, for files that have no currency column.
    """

    def __init__(self, header: Header, *, currency: str | None) -> None:
        csv.field_size_limit(MAX_RECORD_BYTES)
        self._width = len(header.columns)
        self._index_by_column = {name: index for index, name in enumerate(header.columns)}
        self._readers = [
            (field, self._index_by_column[column], READER_BY_FIELD.get(field, read_text))
            for column, field in FIELD_BY_COLUMN.items()
            if column in self._index_by_column and column != "listed"
        ]
        self._listed_index = self._index_by_column.get("listed")
        self._has_currency = "currency" in self._index_by_column
        self._currency = currency

    def parse(self, record: RawRecord) -> Listing | RejectedRecord:
        """Read one record; raise `BadData` when its structure is broken."""
        try:
            text = record.body.decode()
        except UnicodeDecodeError as exc:
            text = record.body.decode(errors="replace")
            fault = f"byte {exc.object[exc.start]:#04x} is not UTF-8"
        else:
            fault = "holds a NUL byte" if "\0" in text else ""
        fields = self._split(record.line, text)
        if not fault and len(text) > MAX_FIELD_BYTES:
            fault = self._find_oversized(fields)
        if fault:
            return self._reject(record.line, fields, fault)
        try:
            return self._build(fields)
        except ValueError as exc:
            return self._reject(record.line, fields, str(exc))

    def _split(self, line: int, text: str) -> list[str]:
        text = text.removesuffix("\r")
        if '"' in text:
            try:
                fields = next(csv.reader(iter([text]), strict=True))
            except csv.Error as exc:
                raise BadData(
                    f"line {line} is not CSV: {exc}",
                    hint="nothing was changed; fetch the inventory again",
                    code="malformed_record",
                ) from exc
        else:
            fields = text.split(",")
        if len(fields) != self._width:
            raise BadData(
                f"the record in line {line} has {len(fields)} fields, the header has "
                f"{self._width}: the file is cut or damaged",
                hint="nothing was changed; fetch the inventory again",
                code="field_count",
            )
        return fields

    def _find_oversized(self, fields: list[str]) -> str:
        sizes = [len(field.encode(errors="replace")) for field in fields]
        largest = max(sizes)
        if largest <= MAX_FIELD_BYTES:
            return ""
        column = list(self._index_by_column)[sizes.index(largest)]
        return f"{column} has {largest:,} bytes, more than {MAX_FIELD_BYTES:,}"

    def _reject(self, line: int, fields: list[str], reason: str) -> RejectedRecord:
        try:
            listing_id = parse_id(fields[self._index_by_column["listing_id"]], "listing_id")
        except ValueError:
            return RejectedRecord(line=line, reason=reason)
        return RejectedRecord(line=line, reason=reason, listing_id=listing_id)

    def _build(self, fields: list[str]) -> Listing:
        values = {field: read(fields[index], field) for field, index, read in self._readers}
        if self._listed_index is not None and values.get("posted") is None:
            values["posted"] = parse_listed(fields[self._listed_index])
        if not self._has_currency or values["price_currency"] is None:
            values["price_currency"] = self._currency
        listing_id = parse_id(fields[self._index_by_column["listing_id"]], "listing_id")
        return Listing(listing_id=listing_id, **values)  # type: ignore[arg-type]
