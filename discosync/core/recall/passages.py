"""Passages: records in a row that are recognised by one digest of all their bytes.

From hour to hour only a few records of a file differ. Where its bytes are the same as last time,
some hundred records at once need neither be cut apart nor looked up.
"""

import sys
import zlib
from array import array
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Self

from discosync.core.inventory.records import DIGEST_BYTES, raw_digest
from discosync.core.planning.known import KnownListings

RECORDS_PER_PASSAGE = 256
"""Larger passages are passed over faster, but more of them hold a changed record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passages:
    """The passages of the last applied snapshot's file, in order.

    `sizes` are in bytes, `digests` are those of these bytes, `counts` are the numbers of records.
    `positions` are those of the listings of all these records, one after the other.
    """

    sizes: "array[int]" = field(default_factory=lambda: array("I"))
    counts: "array[int]" = field(default_factory=lambda: array("I"))
    digests: bytes = b""
    positions: "array[int]" = field(default_factory=lambda: array("I"))

    def __len__(self) -> int:
        return len(self.sizes)

    def digest(self, number: int) -> bytes:
        """Return the digest of a passage."""
        return self.digests[number * DIGEST_BYTES : (number + 1) * DIGEST_BYTES]

    def is_scattered(self) -> bool:
        """Whether there are too many small passages, so that larger ones should be made."""
        return len(self) > 64 + 3 * len(self.positions) // RECORDS_PER_PASSAGE

    def pack(self) -> bytes:
        """Write the passages as few bytes: neighbours in the file mostly are neighbours by id."""
        steps = array(
            "i", (b - a for a, b in zip((0, *self.positions), self.positions, strict=False))
        )
        numbers = (
            array("I", [len(self.sizes), len(self.positions)]),
            self.sizes,
            self.counts,
            steps,
        )
        return zlib.compress(b"".join(map(_little_endian, numbers)) + self.digests, 1)

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """Read what `pack` wrote; raise `ValueError` for anything else."""
        try:
            unpacked = memoryview(zlib.decompress(packed))
            head = _read("I", unpacked[:8])
            ends = list(accumulate((8, 4 * head[0], 4 * head[0], 4 * head[1])))
            sizes = _read("I", unpacked[ends[0] : ends[1]])
            counts = _read("I", unpacked[ends[1] : ends[2]])
            positions = array("I", accumulate(_read("i", unpacked[ends[2] : ends[3]])))
        except (zlib.error, IndexError, OverflowError, ValueError) as exc:
            raise ValueError(f"passages cannot be read: {exc}") from exc
        digests = bytes(unpacked[ends[3] :])
        if len(digests) != DIGEST_BYTES * len(sizes) or sum(counts) != len(positions):
            raise ValueError("passages cannot be read: they are not whole")
        return cls(sizes=sizes, counts=counts, digests=digests, positions=positions)


def _little_endian(numbers: "array[int]") -> bytes:
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers.tobytes()


def _read(kind: str, packed: memoryview) -> "array[int]":
    numbers = array(kind)
    numbers.frombytes(packed)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


class PassageLog:
    """Collects the passages of a snapshot's file, for the next run."""

    def __init__(self, records_per_passage: int) -> None:
        self._records = records_per_passage
        self._sizes: list[int] = []
        self._digests: list[bytes] = []
        self._ids: list[Sequence[int]] = []

    def note(self, size_bytes: int, digest: bytes, ids: Sequence[int]) -> None:
        """Note a passage, and the listing ids of its records; 0 for a record without a listing."""
        self._sizes.append(size_bytes)
        self._digests.append(digest)
        self._ids.append(ids)

    def note_records(self, bodies: Sequence[bytes], ids: Sequence[int]) -> None:
        """Make passages of some records in a row, and note them."""
        for start in range(0, len(bodies), self._records):
            stop = start + self._records
            text = b"\n".join((*bodies[start:stop], b""))
            self.note(len(text), raw_digest(text), ids[start:stop])

    def finish(self, known: KnownListings, unsettled: AbstractSet[int]) -> Passages:
        """Return the passages that the next run may pass over: each record settles its listing."""
        sizes, counts, digests, positions = array("I"), array("I"), bytearray(), array("I")
        last = -1
        for size_bytes, digest, ids in zip(self._sizes, self._digests, self._ids, strict=True):
            found = _find_all(known, ids, after=last)
            # One record that does not settle its listing keeps the whole passage out.
            if found is not None and unsettled.isdisjoint(ids):
                sizes.append(size_bytes)
                counts.append(len(ids))
                digests += digest
                positions.extend(found)
                last = found[-1]
        return Passages(sizes=sizes, counts=counts, digests=bytes(digests), positions=positions)


def _find_all(known: KnownListings, ids: Sequence[int], *, after: int) -> list[int] | None:
    """Return the positions of listings, which mostly follow each other; None if one is unknown."""
    known_ids, end = known.ids, len(known.ids)
    positions: list[int] = []
    position = after
    for listing_id in ids:
        position += 1
        if position >= end or known_ids[position] != listing_id:
            found = known.find(listing_id)
            if found is None:
                return None
            position = found
        positions.append(position)
    return positions
