"""The values of parsed records: of one record, or of some thousand, column by column.

Working on a column costs a fraction of working on each record. So whatever is done for every
record is done to columns.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any, NamedTuple, Self

from discosync.core.inventory.header import RejectedRecord
from discosync.core.inventory.listing import (
    CONTENT_FIELDS,
    EXTRA_FIELDS,
    FILLED_ONCE_FIELDS,
    FOR_SALE,
    FieldValue,
    Listing,
    content_digest,
    heading_of,
)

VALUE_FIELDS = CONTENT_FIELDS + EXTRA_FIELDS
"""The fields whose values a parsed record holds, in this order."""

SLOT_BY_FIELD = {field: slot for slot, field in enumerate(VALUE_FIELDS)}
"""The slot of a field: where its value stands in a parsed record, and its column in a block."""

_STATUS = SLOT_BY_FIELD["status"]
_FILLED_ONCE = tuple(SLOT_BY_FIELD[field] for field in FILLED_ONCE_FIELDS)


class ParsedRecord(NamedTuple):
    """The values of one record, in the order of `VALUE_FIELDS`, and the digest of its content."""

    listing_id: int
    values: Sequence[Any]
    digest: bytes

    @classmethod
    def of(cls, listing: Listing) -> Self:
        """Make the parsed record of a listing."""
        values = [getattr(listing, field) for field in VALUE_FIELDS]
        return cls(listing_id=listing.listing_id, values=values, digest=content_digest(listing))

    def value(self, field: str) -> FieldValue:
        """Return the value of one field."""
        value: FieldValue = self.values[SLOT_BY_FIELD[field]]
        return value

    @property
    def status(self) -> str:
        """Discogs' word for its state."""
        return str(self.values[_STATUS])

    @property
    def is_for_sale(self) -> bool:
        """Whether a customer could buy it."""
        return self.status == FOR_SALE

    @property
    def heading(self) -> str:
        """Artist and title, for people."""
        return heading_of(self.value("artist_names"), self.value("release_title"))

    @property
    def fills_in(self) -> bool:
        """Whether the record shows an extra that only some sources show (a year, an image)."""
        return any(self.values[slot] is not None for slot in _FILLED_ONCE)

    @property
    def listing(self) -> Listing:
        """Build the listing."""
        return Listing(
            listing_id=self.listing_id, **dict(zip(VALUE_FIELDS, self.values, strict=True))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedBlock:
    """Parsed records, column by column, and the rejected records that stood among them.

    `indexes` are the numbers of these records within their block of raw records, from 0. `columns`
    are in the order of `VALUE_FIELDS`.
    """

    indexes: Sequence[int]
    ids: Sequence[int]
    columns: Sequence[Sequence[Any]]
    digests: Sequence[bytes]
    rejected: Sequence[RejectedRecord] = ()

    @classmethod
    def of(
        cls,
        records: Iterable[tuple[int, ParsedRecord]],
        rejected: Sequence[RejectedRecord] = (),
    ) -> Self:
        """Make a block of (index, record) pairs and of the records that were rejected."""
        pairs = list(records)
        columns = list(zip(*(record.values for _, record in pairs), strict=True))
        return cls(
            indexes=[index for index, _ in pairs],
            ids=[record.listing_id for _, record in pairs],
            columns=columns or [()] * len(VALUE_FIELDS),
            digests=[record.digest for _, record in pairs],
            rejected=rejected,
        )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def statuses(self) -> Sequence[str]:
        """Discogs' word for the state of each."""
        return self.columns[_STATUS]

    @property
    def records(self) -> Iterator[ParsedRecord]:
        """Return the records one by one."""
        return map(ParsedRecord, self.ids, zip(*self.columns, strict=True), self.digests)

    def pick(self, wanted: Sequence[bool]) -> Self:
        """Keep the records for which `wanted` is true, and all that was rejected."""
        return type(self)(
            indexes=list(compress(self.indexes, wanted)),
            ids=list(compress(self.ids, wanted)),
            columns=[list(compress(column, wanted)) for column in self.columns],
            digests=list(compress(self.digests, wanted)),
            rejected=self.rejected,
        )
