"""The inventory CSV: records, header, and one record into one `Listing`.

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
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from discosync.core.columns import (
    CORE_COLUMNS,
    FIELD_BY_COLUMN,
    READER_BY_FIELD,
    parse_id,
    parse_listed,
    read_text,
)
from discosync.core.listing import Listing
from discosync.errors import BadData

MAX_FIELD_BYTES = 128 * 1024
"""A longer field is quarantined: Discogs' own comment box holds far less."""

MAX_RECORD_BYTES = 16 * 1024 * 1024
"""A longer record means a quote that never closes."""

_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRecord:
    """The bytes of one record, without its last line feed; `line` counts from 1."""

    line: int
    body: bytes


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


def split_records(stream: BinaryIO) -> Iterator[RawRecord]:
    """Cut a file into records at line ends outside quotes, without parsing them.

    Raises `BadData` when the last record has no line end: the file was cut.
    """
    line, tail, open_bytes = 1, b"", 0
    open_lines: list[bytes] = []
    while block := stream.read(_BLOCK_BYTES):
        lines = (tail + block).split(b"\n")
        tail = lines.pop()
        for text in lines:
            odd = text.count(b'"') & 1 if b'"' in text else 0
            if not open_lines and not odd:
                yield RawRecord(line=line, body=text)
                line += 1
                continue
            open_lines.append(text)
            open_bytes += len(text) + 1
            if len(open_lines) > 1 and odd:
                yield RawRecord(line=line, body=b"\n".join(open_lines))
                line += len(open_lines)
                open_lines, open_bytes = [], 0
        _check_record_size(line, open_bytes + len(tail))
    if open_lines or tail:
        is_quoted = (sum(text.count(b'"') for text in open_lines) + tail.count(b'"')) & 1
        where = "inside a quoted field" if is_quoted else "inside a record, before its line end"
        raise cut(line, where)


def _check_record_size(line: int, size_bytes: int) -> None:
    if size_bytes > MAX_RECORD_BYTES:
        raise BadData(
            f"the record that begins in line {line} is longer than {MAX_RECORD_BYTES >> 20} MiB: "
            "a quote that never closes, or no CSV at all",
            hint="nothing was changed; fetch the inventory again",
            code="malformed_record",
        )


def cut(line: int, where: str) -> BadData:
    """Say that the file ends where no file of Discogs ends."""
    return BadData(
        f"the inventory ends {where}, in line {line}: it was cut short",
        hint="nothing was changed; run again, or download the file again",
        code="truncated",
    )


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
