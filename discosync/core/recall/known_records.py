"""Known listings, each with the digest of the record that last showed it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Self

from discosync.core.inventory.records import DIGEST_BYTES, NO_DIGEST
from discosync.core.planning.known import KnownListings, digest_at


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRecords(KnownListings):
    """What the database knows of one seller, and the digests of the records that told it.

    `raw_digests` are the digests of those records, side by side as the listings are; `NO_DIGEST`
    for a listing that no record settles. It is empty when no record is known at all.
    """

    raw_digests: bytes = b""

    @classmethod
    def without_records(cls, known: KnownListings) -> Self:
        """Take listings of which no record is known; the arrays are shared, not copied."""
        return cls(ids=known.ids, flags=known.flags, hashes=known.hashes)

    def in_order(self) -> Self:
        """Sort by listing id, if that is not done yet."""
        order = self.order()
        if order is None:
            return self
        ordered = self.ordered(order)
        digests = b"".join(digest_at(self.raw_digests, position) for position in order)
        return replace(ordered, raw_digests=digests)

    @property
    def checksum(self) -> str:
        """Digest ids, flags and raw digests: whether they came back as they were left."""
        digest = blake2b(self.ids.tobytes(), digest_size=DIGEST_BYTES)
        digest.update(self.flags)
        digest.update(self.raw_digests)
        return digest.hexdigest()

    def raw_digest_at(self, position: int) -> bytes:
        """Return the digest of the record that last showed a listing."""
        return digest_at(self.raw_digests, position)

    def index_raw_digests(self, positions: Iterable[int] | None = None) -> dict[bytes, int]:
        """Map the digests of records to the positions of their listings: of all, or of some."""
        digests = self.raw_digests
        if positions is None:
            positions = range(len(digests) // DIGEST_BYTES)
        # Sliced here and not by a function: this is done for each record of a file.
        index = {digests[i * DIGEST_BYTES : (i + 1) * DIGEST_BYTES]: i for i in positions}
        index.pop(NO_DIGEST, None)
        return index

    def chunks(self, size: int) -> Iterator["KnownRecords"]:
        """Cut ids, flags and raw digests into pieces of that many listings."""
        for start in range(0, len(self), size):
            stop = start + size
            yield KnownRecords(
                ids=self.ids[start:stop],
                flags=self.flags[start:stop],
                raw_digests=self.raw_digests[start * DIGEST_BYTES : stop * DIGEST_BYTES],
            )
