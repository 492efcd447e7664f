"""What the database knows, as far as a plan needs it."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import pairwise
from typing import NamedTuple, Self

from discosync.core.inventory.listing import (
    CONTENT_FIELDS,
    FILLED_ONCE_FIELDS,
    FieldValue,
    content_digest_of,
    heading_of,
)
from discosync.core.inventory.records import DIGEST_BYTES, NO_DIGEST
from discosync.core.planning.changes import Lifecycle

IS_ACTIVE = 1
IS_INCOMPLETE = 2
IS_PURGED = 4

_ACTIVE_BY_FLAGS = bytes(flags & IS_ACTIVE for flags in range(256))


STORED_FIELDS = CONTENT_FIELDS + FILLED_ONCE_FIELDS
"""The fields that a decision needs of a stored row, in this order."""

_PLACE_BY_FIELD = {field: place for place, field in enumerate(STORED_FIELDS)}


class KnownListing(NamedTuple):
    """A row of `listings`, as far as a decision needs it; `values` are those of `STORED_FIELDS`."""

    listing_id: int
    content_hash: str | None
    lifecycle: Lifecycle
    values: Sequence[FieldValue]

    def value(self, field: str) -> FieldValue:
        """Give the value of one field."""
        return self.values[_PLACE_BY_FIELD[field]]

    @property
    def heading(self) -> str:
        """Artist and title, for people."""
        return heading_of(self.value("artist_names"), self.value("release_title"))

    @property
    def flags(self) -> int:
        """Say the same of it as `KnownListings` does."""
        is_incomplete = None in self.values[len(CONTENT_FIELDS) :]
        return (IS_ACTIVE if self.lifecycle.is_active else 0) | (
            IS_INCOMPLETE if is_incomplete else 0
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownListings:
    """What the database knows of one seller: arrays side by side, sorted by listing id.

    `flags` hold a byte a listing: `IS_ACTIVE`; `IS_INCOMPLETE` for one that lacks an extra which
    only some sources show; `IS_PURGED` for one that was here once, and stays away while a snapshot
    shows it as sold, draft, …. `hashes` are the content's digests (`NO_DIGEST` for one of another
    version), `raw_digests` those of the very records that last showed the listings. Either may be
    missing as a whole: then it is not known, and settles nothing.
    """

    ids: "array[int]" = field(default_factory=lambda: array("q"))
    flags: bytes = b""
    hashes: bytes = b""
    raw_digests: bytes = b""

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
        ids = self.ids
        if all(before < after for before, after in pairwise(ids)):
            return self
        order = sorted(range(len(ids)), key=ids.__getitem__)
        return replace(
            self,
            ids=array("q", (ids[at] for at in order)),
            flags=bytes(self.flags[at] for at in order),
            hashes=b"".join(_digest_at(self.hashes, at) for at in order),
            raw_digests=b"".join(_digest_at(self.raw_digests, at) for at in order),
        )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def are_active(self) -> bytes:
        """Say of each listing whether it is active: 1 or 0."""
        return self.flags.translate(_ACTIVE_BY_FLAGS)

    @property
    def checksum(self) -> str:
        """Digest ids, flags and raw digests: whether they came back as they were left."""
        digest = blake2b(self.ids.tobytes(), digest_size=DIGEST_BYTES)
        digest.update(self.flags)
        digest.update(self.raw_digests)
        return digest.hexdigest()

    def find(self, listing_id: int) -> int | None:
        """Say where a listing stands in the arrays; None when it is not known."""
        at = bisect_left(self.ids, listing_id)
        return at if at < len(self.ids) and self.ids[at] == listing_id else None

    def hash_at(self, at: int) -> bytes:
        """Give the digest of a listing's content."""
        return _digest_at(self.hashes, at)

    def raw_digest_at(self, at: int) -> bytes:
        """Give the digest of the record that last showed a listing."""
        return _digest_at(self.raw_digests, at)

    def index_raw_digests(self, places: Iterable[int] | None = None) -> dict[bytes, int]:
        """Map the digests of records to where their listings stand: of all, or of some."""
        digests = self.raw_digests
        if places is None:
            places = range(len(digests) // DIGEST_BYTES)
        index = {digests[at * DIGEST_BYTES : (at + 1) * DIGEST_BYTES]: at for at in places}
        index.pop(NO_DIGEST, None)
        return index

    def chunks(self, size: int) -> Iterator["KnownListings"]:
        """Cut ids, flags and raw digests into pieces of that many listings."""
        for start in range(0, len(self), size):
            stop = start + size
            yield KnownListings(
                ids=self.ids[start:stop],
                flags=self.flags[start:stop],
                raw_digests=self.raw_digests[start * DIGEST_BYTES : stop * DIGEST_BYTES],
            )


def _digest_at(digests: bytes, at: int) -> bytes:
    return digests[at * DIGEST_BYTES : (at + 1) * DIGEST_BYTES]
