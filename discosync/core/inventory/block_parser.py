"""Parse raw records into values, some thousand at a time, column by column.

This costs half of what parsing record by record costs, but it cannot tell what is wrong. Where a
block holds anything odd, it is halved again and again, and the odd record goes to `record_parser`,
which says what is wrong with it.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import repeat
from typing import Any

from discosync.core.inventory.columns import (
    FIELD_BY_COLUMN,
    READER_BY_FIELD,
    parse_ids,
    parse_listed,
    read_text,
)
from discosync.core.inventory.guarded import unguard
from discosync.core.inventory.header import Header, RejectedRecord
from discosync.core.inventory.listing import CONTENT_FIELDS, EXTRA_FIELDS, FieldValue, canonical
from discosync.core.inventory.parsed import SLOT_BY_FIELD, VALUE_FIELDS, ParsedBlock
from discosync.core.inventory.record_parser import MAX_FIELD_BYTES, RecordParser
from discosync.core.inventory.records import DIGEST_BYTES, RawRecord, RecordBlock, is_blank

_FEW = 16
"""How many records are no longer halved, but read one by one."""

_MAX_LEARNT = 16_384
"""How many different texts a column remembers, so that memory does not grow with the inventory."""

_FREE_TEXTS = {
    "comments", "external_id", "location", "artist_names", "release_title", "label_names",
    "catalog_number",
}  # fmt: skip
"""Fields whose values hardly repeat. Their canonical form differs from the text only in white
space, entities and Unicode composition, and of joined names in those that are repeated."""

_JOINED = {"label_names", "catalog_number"}

Texts = Sequence[str]


class _Odd(Exception):
    """A block holds something that only a look at each record can explain."""


class BlockParser:
    """Turns raw records of one file into values.

    `currency` is that of the seller's prices, for files that have no currency column.
    """

    def __init__(self, header: Header, *, currency: str | None) -> None:
        self._one = RecordParser(header, currency=currency)
        self._header = header
        self._currency = currency
        readers = {
            FIELD_BY_COLUMN[column]: _reader_of(FIELD_BY_COLUMN[column])
            for column in header.columns
            if column in FIELD_BY_COLUMN and column != "listed"
        }
        index_by_column = {name: index for index, name in enumerate(header.columns)}
        self._columns = [
            (index_by_column[column], SLOT_BY_FIELD[field], readers[field])
            for column, field in FIELD_BY_COLUMN.items()
            if column in index_by_column and column != "listed"
        ]
        self._id_index = index_by_column["listing_id"]
        self._listed_index = index_by_column.get("listed")
        self._nameless = header.nameless
        self._read_listed = _Listed().read

    def read(self, block: RecordBlock) -> Iterator[ParsedBlock]:
        """Read a block, blank lines aside; raise `BadData` when its structure is broken."""
        indexes = [i for i, body in enumerate(block.bodies) if not is_blank(body)]
        if indexes:
            yield from self._read(block, indexes)

    def _read(self, block: RecordBlock, indexes: Sequence[int]) -> Iterator[ParsedBlock]:
        try:
            parsed = self._read_columns([block.bodies[index] for index in indexes], indexes)
        except (_Odd, ValueError, csv.Error):
            if len(indexes) <= _FEW:
                yield self._read_each(block, indexes)
                return
            # One odd record must not make thousands of good ones go the slow way.
            half = len(indexes) // 2
            yield from self._read(block, indexes[:half])
            yield from self._read(block, indexes[half:])
        else:
            yield parsed

    def _read_each(self, block: RecordBlock, indexes: Sequence[int]) -> ParsedBlock:
        read = self._one.read
        records = [(i, read(RawRecord(block.lines[i], block.bodies[i]))) for i in indexes]
        return ParsedBlock.of(
            [(i, record) for i, record in records if not isinstance(record, RejectedRecord)],
            [record for _, record in records if isinstance(record, RejectedRecord)],
        )

    def _read_columns(self, bodies: Sequence[bytes], indexes: Sequence[int]) -> ParsedBlock:
        texts = self._split(bodies)
        # Only a column without a name may be empty throughout: the record says what it holds.
        if any(text and not text.isspace() for index in self._nameless for text in texts[index]):
            raise _Odd
        columns: list[Sequence[Any]] = [(None,) * len(bodies)] * len(VALUE_FIELDS)
        forms: list[Any] = [repeat("")] * len(VALUE_FIELDS)
        for column, slot, read in self._columns:
            columns[slot], forms[slot] = read(texts[column])
        # `posted` has a zone, `listed` has none: where both are there, `posted` is the surer one.
        if self._listed_index is not None:
            posted = columns[_POSTED]
            if None in posted:
                listed = self._read_listed(texts[self._listed_index])
                columns[_POSTED] = [p or moment for p, moment in zip(posted, listed, strict=True)]
        if self._currency is not None and None in columns[_CURRENCY]:
            columns[_CURRENCY] = [code or self._currency for code in columns[_CURRENCY]]
            forms[_CURRENCY] = columns[_CURRENCY]
        contents = map("\0".join, zip(*forms[: len(CONTENT_FIELDS)], strict=False))
        return ParsedBlock(
            indexes=indexes,
            ids=parse_ids(texts[self._id_index], "listing_id"),
            columns=columns,
            digests=[
                blake2b(content.encode(), digest_size=DIGEST_BYTES).digest() for content in contents
            ],
        )

    def _split(self, bodies: Sequence[bytes]) -> Sequence[Texts]:
        if max(map(len, bodies)) > MAX_FIELD_BYTES or b"\0" in b"".join(bodies):
            raise _Odd
        rows = list(csv.reader(map(bytes.decode, bodies), strict=True))
        columns = list(zip(*rows, strict=True))
        # A quote in the wrong place makes one record swallow the next.
        if len(rows) != len(bodies) or len(columns) != len(self._header.columns):
            raise _Odd
        if self._header.is_guarded:
            return [list(map(unguard, column)) for column in columns]
        return columns


_POSTED, _CURRENCY = SLOT_BY_FIELD["posted"], SLOT_BY_FIELD["price_currency"]

_Column = tuple[Sequence[FieldValue], Sequence[str]]
"""The values of a column, and their canonical forms."""


def _reader_of(field: str) -> Callable[[Texts], _Column]:
    """Return the reader of a field's column: texts in, values and canonical forms out."""
    if field == "release_id":
        return _read_ids
    if field in _FREE_TEXTS:
        return lambda texts: (texts, _fold(texts, field))
    read = READER_BY_FIELD.get(field, read_text)
    if field in EXTRA_FIELDS:
        return lambda texts: ([read(text, field) for text in texts], ())
    return _Words(field, read).read


def _read_ids(texts: Texts) -> _Column:
    ids = parse_ids(texts, "release_id")
    return ids, list(map(str, ids))


def _fold(texts: Texts, field: str) -> Sequence[str]:
    """Return the canonical forms of free texts; plain texts only need their outer space removed."""
    is_plain = _is_plain_name if field in _JOINED else _is_plain
    if is_plain("".join(texts)):
        return list(map(str.strip, texts))
    return [text.strip() if is_plain(text) else canonical(field, text) for text in texts]


def _is_plain(text: str) -> bool:
    """Whether each text in it is canonical as it stands, outer space aside."""
    return text.isascii() and "&" not in text and "\r" not in text


def _is_plain_name(text: str) -> bool:
    """Whether each text in it is one name or number, canonical as it stands."""
    return _is_plain(text) and ", " not in text and "none" not in text.lower()


class _Words:
    """A column whose texts repeat: each different text is read once."""

    def __init__(self, field: str, read: Callable[[str, str], FieldValue]) -> None:
        self._field = field
        self._read = read
        self._values: dict[str, FieldValue] = {}
        self._forms: dict[str, str] = {}

    def read(self, texts: Texts) -> _Column:
        """Read the texts; raise `ValueError` when one cannot be right."""
        try:
            values = list(map(self._values.__getitem__, texts))
        except KeyError:
            self._learn(set(texts))
            values = list(map(self._values.__getitem__, texts))
        return values, list(map(self._forms.__getitem__, texts))

    def _learn(self, texts: set[str]) -> None:
        if len(self._values) > _MAX_LEARNT:
            self._values.clear()
        for text in texts:
            if text in self._values:
                continue
            value = self._read(text, self._field)
            self._forms[text] = canonical(self._field, value)
            self._values[text] = value


class _Listed:
    """The export's `listed`: hours and minutes are read once each.

    Discogs' clock is put forward and back at full hours, so that the minutes are the same.
    """

    def __init__(self) -> None:
        self._hours: dict[str, datetime] = {}
        self._minutes: dict[str, timedelta] = {}

    def read(self, texts: Texts) -> Sequence[datetime | None]:
        """Read the texts; raise `ValueError` when one cannot be right."""
        if set(map(len, texts)) != {_LISTED_LENGTH}:
            return [parse_listed(text) for text in texts]
        try:
            return self._put_together(texts)
        except KeyError:
            self._learn(texts)
            return self._put_together(texts)

    def _put_together(self, texts: Texts) -> Sequence[datetime]:
        hours, minutes = self._hours, self._minutes
        return [hours[text[:_HOUR_LENGTH]] + minutes[text[_HOUR_LENGTH:]] for text in texts]

    def _learn(self, texts: Texts) -> None:
        if len(self._hours) > _MAX_LEARNT:
            self._hours.clear()
        for hour in {text[:_HOUR_LENGTH] for text in texts}:
            if hour not in self._hours and (moment := parse_listed(f"{hour}:00:00")) is not None:
                self._hours[hour] = moment
        for minute in {text[_HOUR_LENGTH:] for text in texts}:
            if minute not in self._minutes:
                moment = datetime.fromisoformat(f"{_ANY_HOUR}{minute}").replace(tzinfo=None)
                self._minutes[minute] = moment - datetime.fromisoformat(f"{_ANY_HOUR}:00:00")


_ANY_HOUR = "2000-01-01 00"
_LISTED_LENGTH, _HOUR_LENGTH = len("2026-03-02 09:00:00"), len("2026-03-02 09")
