"""What the database knows of a seller's listings, as far as a plan needs it."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import NamedTuple, Self

from discosync.core.inventory.listing import (
    CONTENT_FIELDS,
    FILLED_ONCE_FIELDS,
    FieldValue,
    content_digest_of,
    heading_of,
)
from discosync.core.inventory.records import DIGEST_BYTES
from discosync.core.planning.changes import Lifecycle

IS_ACTIVE = 1
IS_INCOMPLETE = 2
IS_PURGED = 4

_ACTIVE_BY_FLAGS = bytes(flags & IS_ACTIVE for flags in range(256))


STORED_FIELDS = CONTENT_FIELDS + FILLED_ONCE_FIELDS
"""The fields that a decision needs of a stored row, in this order."""

_SLOT_BY_FIELD = {field: slot for slot, field in enumerate(STORED_FIELDS)}


class KnownListing(NamedTuple):
    """A row of `listings`, as far as a decision needs it; `values` are those of `STORED_FIELDS`."""

    listing_id: int
    content_hash: str | None
    lifecycle: Lifecycle
    values: Sequence[FieldValue]

    def value(self, field: str) -> FieldValue:
        """Return the value of one field."""
        return self.values[_SLOT_BY_FIELD[field]]

    @property
    def heading(self) -> str:
        """Artist and title, for people."""
        return heading_of(self.value("artist_names"), self.value("release_title"))

    @property
    def flags(self) -> int:
        """Return the flags that `KnownListings` holds for such a row."""
        is_incomplete = None in self.values[len(CONTENT_FIELDS) :]
        return (IS_ACTIVE if self.lifecycle.is_active else 0) | (
            IS_INCOMPLETE if is_incomplete else 0
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownListings:
    """What the database knows of one seller: arrays side by side, sorted by listing id.

    `flags` hold a byte a listing: `IS_ACTIVE`; `IS_INCOMPLETE` for a row that lacks a value which
    only some sources show (a year, an image); `IS_PURGED` for a listing whose row was purged.
    `hashes` are the digests of the contents, `NO_DIGEST` for a hash of another version. They may
    be missing as a whole: then no hash is known, and none settles a listing.
    """

    ids: "array[int]" = field(default_factory=lambda: array("q"))
    flags: bytes = b""
    hashes: bytes = b""

    @classmethod
    def of(cls, rows: Iterable[tuple[int, int, str | None]]) -> Self:
        """Collect (listing id, flags, content hash) in any order."""
        ids, flags, hashes = array("q"), bytearray(), bytearray()
        for listing_id, flag, content_hash in rows:
            ids.append(listing_id)
            flags.append(flag)
            hashes += content_digest_of(content_hash)
        return cls(ids=ids, flags=bytes(flags), hashes=bytes(hashes)).in_order()

    def in_order(self) -> Self:
        """Sort by listing id, if that is not done yet."""
        order = self.order()
        return self if order is None else self.ordered(order)

    def order(self) -> list[int] | None:
        """Return the positions, sorted by listing id; None when they are sorted already."""
        # They mostly are sorted, and looking costs less than sorting.
        ids = self.ids
        if all(before < after for before, after in pairwise(ids)):
            return None
        return sorted(range(len(ids)), key=ids.__getitem__)

    def ordered(self, order: Sequence[int]) -> Self:
        """Bring the listings into this order of their positions."""
        return replace(
            self,
            ids=array("q", (self.ids[position] for position in order)),
            flags=bytes(self.flags[position] for position in order),
            hashes=b"".join(digest_at(self.hashes, position) for position in order),
        )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def are_active(self) -> bytes:
        """Say of each listing whether it is active: 1 or 0."""
        return self.flags.translate(_ACTIVE_BY_FLAGS)

    def find(self, listing_id: int) -> int | None:
        """Return the position of a listing in the arrays; None when the listing is not known."""
        position = bisect_left(self.ids, listing_id)
        is_known = position < len(self.ids) and self.ids[position] == listing_id
        return position if is_known else None

    def hash_at(self, position: int) -> bytes:
        """Return the digest of a listing's content."""
        return digest_at(self.hashes, position)


def digest_at(digests: bytes, position: int) -> bytes:
    """Return one of several digests that stand side by side."""
    return digests[position * DIGEST_BYTES : (position + 1) * DIGEST_BYTES]
