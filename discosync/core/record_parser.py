"""One record of an inventory CSV into typed values, and the digest of its content.

Made for a hundred thousand records an hour: what occurs again and again (conditions, formats,
prices, weights) is read once, and a `Listing` is built only where somebody looks at it.
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Self

from discosync.core.columns import (
    FIELD_BY_COLUMN,
    READER_BY_FIELD,
    parse_id,
    parse_listed,
    read_text,
)
from discosync.core.inventory_csv import Header, RejectedRecord
from discosync.core.listing import (
    CONTENT_FIELDS,
    EXTRA_FIELDS,
    FILLED_ONCE_FIELDS,
    FOR_SALE,
    FieldValue,
    Listing,
    canonical,
    content_digest,
)
from discosync.core.records import DIGEST_BYTES, MAX_RECORD_BYTES, RawRecord
from discosync.errors import BadData

MAX_FIELD_BYTES = 128 * 1024
"""A longer field is quarantined: Discogs' own comment box holds far less."""

VALUE_FIELDS = CONTENT_FIELDS + EXTRA_FIELDS
"""The fields whose values a parsed record holds, in this order."""

_MAX_CACHED = 16_384
_PLACES = {field: place for place, field in enumerate(VALUE_FIELDS)}
_STATUS, _POSTED = _PLACES["status"], _PLACES["posted"]
_FILLED_ONCE = tuple(_PLACES[field] for field in FILLED_ONCE_FIELDS)
_FREE_TEXTS = {
    "comments", "external_id", "location", "artist_names", "release_title", "label_names",
    "catalog_number",
}  # fmt: skip
"""Content that hardly repeats; its canonical form is its text, but for white space and entities."""


@dataclass(slots=True, kw_only=True)
class ParsedRecord:
    """What one record says: its values in the order of `VALUE_FIELDS`, its content's digest."""

    listing_id: int
    values: list[Any]
    digest: bytes

    @classmethod
    def of(cls, listing: Listing) -> Self:
        """Say the same as a listing does."""
        values = [getattr(listing, field) for field in VALUE_FIELDS]
        return cls(listing_id=listing.listing_id, values=values, digest=content_digest(listing))

    @property
    def status(self) -> str:
        """Discogs' word for its state."""
        return str(self.values[_STATUS])

    @property
    def is_for_sale(self) -> bool:
        """Whether a customer could buy it."""
        return bool(self.values[_STATUS] == FOR_SALE)

    @property
    def fills_in(self) -> bool:
        """Whether it shows an extra that only some sources show."""
        return any(self.values[place] is not None for place in _FILLED_ONCE)

    @property
    def listing(self) -> Listing:
        """Build the listing."""
        return Listing(
            listing_id=self.listing_id, **dict(zip(VALUE_FIELDS, self.values, strict=True))
        )


class _Column:
    """A column whose texts repeat: each is read, and brought into its canonical form, once."""

    def __init__(self, field: str, read: Callable[[str, str], FieldValue]) -> None:
        self.place = _PLACES[field]
        self.known: dict[str, tuple[FieldValue, str]] = {}
        self._field = field
        self._read = read

    def learn(self, text: str) -> tuple[FieldValue, str]:
        """Read a text for the first time; raise `ValueError` when it cannot be right."""
        value = self._read(text, self._field)
        if len(self.known) >= _MAX_CACHED:
            self.known.clear()
        pair = (value, canonical(self._field, value))
        self.known[text] = pair
        return pair


def _is_plain(text: str) -> bool:
    """Whether the canonical form of each text in it is the text without its outer space."""
    return text.isascii() and "&" not in text and "\r" not in text


class RecordParser:
    """Turns raw records of one file into values.

    `currency` is that of the seller's prices, for files that have no currency column.
    """

    def __init__(self, header: Header, *, currency: str | None) -> None:
        csv.field_size_limit(MAX_RECORD_BYTES)
        index_by_column = {name: index for index, name in enumerate(header.columns)}
        field_indexes = {
            FIELD_BY_COLUMN[name]: index
            for name, index in index_by_column.items()
            if name in FIELD_BY_COLUMN and name != "listed"
        }
        self._header = header
        self._id_index = index_by_column["listing_id"]
        self._release_index = field_indexes.pop("release_id")
        self._listed_index = index_by_column.get("listed")
        self._free = [
            (field_indexes.pop(field), _PLACES[field])
            for field in VALUE_FIELDS
            if field in _FREE_TEXTS and field in field_indexes
        ]
        self._others = [
            (index, _PLACES[field], READER_BY_FIELD[field], field)
            for field, index in field_indexes.items()
            if field in EXTRA_FIELDS
        ]
        columns = [
            (index, _Column(field, READER_BY_FIELD.get(field, read_text)))
            for field, index in field_indexes.items()
            if field not in EXTRA_FIELDS
        ]
        self._columns = [(index, c.place, c.known.get, c.learn) for index, c in columns]
        self._currency = currency
        self._currency_form = canonical("price_currency", currency)
        self._pacific_offsets: dict[str, timedelta] = {}
        self._texts: list[str] = []
        # One reader for all records: it takes the one text that lies there, and no other.
        self._reader = csv.reader(iter(self._texts.pop, None), strict=True)

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
        fields = self._split(record.line, text)
        if not fault and len(text) > MAX_FIELD_BYTES:
            fault = self._find_oversized(fields)
        if fault:
            return self._reject(record.line, fields, fault)
        try:
            return self._read_fields(fields, is_plain=_is_plain(text.removesuffix("\r")))
        except ValueError as exc:
            return self._reject(record.line, fields, str(exc))

    def _split(self, line: int, text: str) -> list[str]:
        text = text.removesuffix("\r")
        if '"' in text:
            self._texts[:] = [text]
            try:
                fields = next(self._reader)
            except (csv.Error, IndexError) as exc:
                said = exc if isinstance(exc, csv.Error) else "a quote is not closed"
                raise BadData(
                    f"line {line} is not CSV: {said}",
                    hint="nothing was changed; fetch the inventory again",
                    code="malformed_record",
                ) from exc
        else:
            fields = text.split(",")
        if len(fields) != len(self._header.columns):
            raise BadData(
                f"the record in line {line} has {len(fields)} fields, the header has "
                f"{len(self._header.columns)}: the file is cut or damaged",
                hint="nothing was changed; fetch the inventory again",
                code="field_count",
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

    def _read_fields(self, fields: list[str], *, is_plain: bool) -> ParsedRecord:
        """Take the values; `is_plain` when no text needs more than its outer space trimmed."""
        values: list[Any] = _NO_VALUES.copy()
        forms = _NO_FORMS.copy()
        for index, place, find, learn in self._columns:
            text = fields[index]
            values[place], forms[place] = find(text) or learn(text)
        for index, place in self._free:
            values[place] = text = fields[index]
            if is_plain or _is_plain(text):
                forms[place] = text.strip()
            else:
                forms[place] = canonical(VALUE_FIELDS[place], text)
        for index, place, read, field in self._others:
            values[place] = read(fields[index], field)
        if self._listed_index is not None and values[_POSTED] is None:
            values[_POSTED] = self._read_listed(fields[self._listed_index])
        if values[_CURRENCY] is None:
            values[_CURRENCY], forms[_CURRENCY] = self._currency, self._currency_form
        values[_RELEASE] = release_id = parse_id(fields[self._release_index], "release_id")
        forms[_RELEASE] = str(release_id)
        return ParsedRecord(
            listing_id=parse_id(fields[self._id_index], "listing_id"),
            values=values,
            digest=blake2b("\0".join(forms).encode(), digest_size=DIGEST_BYTES).digest(),
        )

    def _read_listed(self, text: str) -> datetime | None:
        """Read the export's `listed`; the Pacific offset is the same for a whole hour."""
        if len(text) != _LISTED_LENGTH:
            return parse_listed(text)
        offset = self._pacific_offsets.get(text[:_HOUR_LENGTH])
        if offset is None:
            moment = parse_listed(text)
            if moment is not None:
                if len(self._pacific_offsets) >= _MAX_CACHED:
                    self._pacific_offsets.clear()
                local = datetime.fromisoformat(text).replace(tzinfo=UTC)
                self._pacific_offsets[text[:_HOUR_LENGTH]] = moment - local
            return moment
        try:
            return datetime.fromisoformat(text).replace(tzinfo=UTC) + offset
        except ValueError:
            return parse_listed(text)  # which says what is wrong


_CURRENCY, _RELEASE = _PLACES["price_currency"], _PLACES["release_id"]
_LISTED_LENGTH, _HOUR_LENGTH = len("2026-03-02 09:00:00"), len("2026-03-02 09")
_NO_VALUES: list[Any] = [None] * len(VALUE_FIELDS)
_NO_FORMS = [canonical(field, None) for field in CONTENT_FIELDS]
