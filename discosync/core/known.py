"""What the database knows, as far as a plan needs it."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import pairwise
from typing import Self

from discosync.core.changes import Lifecycle
from discosync.core.listing import FILLED_ONCE_FIELDS, FieldValue, content_digest_of, heading_of
from discosync.core.records import DIGEST_BYTES, NO_DIGEST

IS_ACTIVE = 1
IS_INCOMPLETE = 2
IS_PURGED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownListing:
    """A row of `listings`, as far as a decision needs it."""

    listing_id: int
    values: Mapping[str, FieldValue]
    lifecycle: Lifecycle
    content_hash: str | None

    @property
    def heading(self) -> str:
        """Artist and title, for people."""
        return heading_of(self.values["artist_names"], self.values["release_title"])

    @property
    def flags(self) -> int:
        """Say the same of it as `KnownListings` does."""
        is_incomplete = any(self.values[name] is None for name in FILLED_ONCE_FIELDS)
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
