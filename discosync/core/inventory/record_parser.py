"""Parse one raw record into its values, or say why it cannot be right.

`block_parser` is the quick way for thousands of good records at once. Only this module finds out
what is wrong with a bad one.
"""

import csv

from discosync.core.inventory.columns import (
    FIELD_BY_COLUMN,
    READER_BY_FIELD,
    parse_id,
    parse_listed,
    read_text,
)
from discosync.core.inventory.guarded import unguard
from discosync.core.inventory.header import Header, RejectedRecord
from discosync.core.inventory.listing import (
    CONTENT_FIELDS,
    EXTRA_FIELDS,
    FieldValue,
    Listing,
    digest_values,
)
from discosync.core.inventory.parsed import SLOT_BY_FIELD, VALUE_FIELDS, ParsedRecord
from discosync.core.inventory.records import MAX_RECORD_BYTES, RawRecord
from discosync.errors import BadData

MAX_FIELD_BYTES = 128 * 1024
"""A longer field is quarantined: Discogs' own comment box holds far less."""

_POSTED, _CURRENCY = SLOT_BY_FIELD["posted"], SLOT_BY_FIELD["price_currency"]
_RELEASE = SLOT_BY_FIELD["release_id"]


class RecordParser:
    """Turns raw records of one file into values.

    `currency` is that of the seller's prices, for files that have no currency column.
    """

    def __init__(self, header: Header, *, currency: str | None) -> None:
        csv.field_size_limit(MAX_RECORD_BYTES)
        self._header = header
        self._currency = currency
        index_by_column = {name: index for index, name in enumerate(header.columns)}
        self._id_index = index_by_column["listing_id"]
        self._nameless = header.nameless
        self._release_index = index_by_column["release_id"]
        self._listed_index = index_by_column.get("listed")
        self._columns = [
            (index_by_column[column], SLOT_BY_FIELD[field], field)
            for fields in (CONTENT_FIELDS, EXTRA_FIELDS)
            for column, field in FIELD_BY_COLUMN.items()
            if field in fields and column in index_by_column and column not in _READ_LAST
        ]

    def parse(self, record: RawRecord) -> Listing | RejectedRecord:
        """Read one record into a listing; raise `BadData` when its structure is broken."""
        parsed = self.read(record)
        return parsed if isinstance(parsed, RejectedRecord) else parsed.listing

    def read(self, record: RawRecord) -> ParsedRecord | RejectedRecord:
        """Read one record; raise `BadData` when its structure is broken."""
        try:
            text = record.body.decode()
        except UnicodeDecodeError as exc:
            text = record.body.decode(errors="replace")
            fault = f"byte {exc.object[exc.start]:#04x} is not UTF-8"
        else:
            fault = "holds a NUL byte" if "\0" in text else ""
        # Even of a record that is rejected: its id protects its listing from being removed.
        fields = self._split(record.line, text)
        if not fault and len(text) > MAX_FIELD_BYTES:
            fault = self._find_oversized(fields)
        if fault:
            return self._reject(record.line, fields, fault)
        try:
            return self._read_fields(fields)
        except ValueError as exc:
            return self._reject(record.line, fields, str(exc))

    def _split(self, line: int, text: str) -> list[str]:
        try:
            fields = next(csv.reader([text.removesuffix("\r")], strict=True))
        except (csv.Error, StopIteration) as exc:
            said = exc if isinstance(exc, csv.Error) else "a quote is not closed"
            raise BadData(
                f"line {line} is not CSV: {said}",
                hint="nothing was changed; fetch the inventory again",
                code="malformed_record",
            ) from exc
        # Every later field would be read as another column: no part of such a file can be trusted.
        if len(fields) != len(self._header.columns):
            raise BadData(
                f"the record in line {line} has {len(fields)} fields, the header has "
                f"{len(self._header.columns)}: the file is cut or damaged",
                hint="nothing was changed; fetch the inventory again",
                code="field_count",
            )
        if self._header.is_guarded:
            fields = [unguard(field) for field in fields]
        for index in self._nameless:
            if fields[index].strip():
                raise BadData(
                    f"column {index + 1} has no name in the header, but line {line} holds "
                    f"{fields[index][:40]!r} there",
                    hint="nothing was changed; download the export anew",
                    code="nameless_column",
                )
        return fields

    def _find_oversized(self, fields: list[str]) -> str:
        sizes = [len(field.encode(errors="replace")) for field in fields]
        largest = max(sizes)
        if largest <= MAX_FIELD_BYTES:
            return ""
        column = self._header.columns[sizes.index(largest)]
        return f"{column} has {largest:,} bytes, more than {MAX_FIELD_BYTES:,}"

    def _reject(self, line: int, fields: list[str], reason: str) -> RejectedRecord:
        try:
            listing_id = parse_id(fields[self._id_index], "listing_id")
        except ValueError:
            return RejectedRecord(line=line, reason=reason)
        return RejectedRecord(line=line, reason=reason, listing_id=listing_id)

    def _read_fields(self, fields: list[str]) -> ParsedRecord:
        values: list[FieldValue] = [None] * len(VALUE_FIELDS)
        for column, slot, field in self._columns:
            values[slot] = READER_BY_FIELD.get(field, read_text)(fields[column], field)
        if self._listed_index is not None and values[_POSTED] is None:
            values[_POSTED] = parse_listed(fields[self._listed_index])
        if values[_CURRENCY] is None:
            values[_CURRENCY] = self._currency
        values[_RELEASE] = parse_id(fields[self._release_index], "release_id")
        return ParsedRecord(
            listing_id=parse_id(fields[self._id_index], "listing_id"),
            values=values,
            digest=digest_values(values[: len(CONTENT_FIELDS)]),
        )


_READ_LAST = {"listed", "release_id"}
