"""The mark that an applied snapshot leaves, and the plan for the very same snapshot."""

from array import array
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain

from discosync.core.inventory.header import Header
from discosync.core.inventory.listing import HASH_VERSION
from discosync.core.inventory.records import DIGEST_BYTES
from discosync.core.inventory.snapshot import Snapshot
from discosync.core.planning.changes import ChangeSet
from discosync.core.recall.rules import RULES


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotMark:
    """What the last applied snapshot of a seller left: how to tell that nothing changed since.

    `context` says how its records were read (see `context_of`), `fingerprint` is that of the
    seller's rows as they were left, `checksum` that of the remembered digests. `sha256` is the
    digest of the whole file; it is None unless the snapshot was complete, held no listing twice,
    and each of its records settles its listing (see `Memory`). For such a file `records`,
    `for_sale` and `left_purged` are the counts of the plan that changes nothing.
    """

    context: str
    fingerprint: str
    checksum: str
    sha256: str | None
    records: int
    for_sale: int
    left_purged: int

    def plan_again(self) -> ChangeSet:
        """Return the plan for the very same snapshot: it changes nothing."""
        return ChangeSet(
            added=array("q"),
            unchanged=self.records,
            records=self.records,
            for_sale=self.for_sale,
            known_active=self.for_sale,
            compared=self.records - self.left_purged,
            compared_active=self.for_sale,
            left_purged=self.left_purged,
        )


def context_of(snapshot: Snapshot, header: Header) -> str:
    """Digest everything but a record's own bytes that decides what the record says.

    That is: the rules (see `rules`), the version of the content hash, the currency, the private
    fields that this view of the seller hides, and the columns of the file.
    """
    hidden, columns = sorted(snapshot.hidden), header.columns
    parts = chain((RULES, HASH_VERSION, snapshot.currency or ""), hidden, ("",), columns)
    return blake2b("\0".join(parts).encode(), digest_size=DIGEST_BYTES).hexdigest()
