"""The one door to recall, which makes a sync cheap when little or nothing has changed.

A sync leaves a mark of the snapshot that it applied. As long as the seller's rows are as that sync
left them, the next one need not even read the same file again; of another file it parses only the
records whose bytes are new. Without all this every sync would give the same result, and take
longer: `core.recall`, `database.recall` and this module can be deleted with their tests, and
`NoRecall` of `syncing.snapshot_comparison` takes their place.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from functools import partial

from discosync.core.inventory.header import Header
from discosync.core.inventory.parsed import ParsedBlock
from discosync.core.inventory.snapshot import Snapshot
from discosync.core.planning.changes import ChangeSet
from discosync.core.planning.known import KnownListings
from discosync.core.planning.observer import PlanObserver
from discosync.core.planning.plan import Planner
from discosync.core.recall.known_records import KnownRecords
from discosync.core.recall.mark import SnapshotMark, context_of
from discosync.core.recall.memory import Memory
from discosync.core.recall.passages import PassageLog, Passages
from discosync.core.recall.recognition import Recogniser
from discosync.database.connection.session import Session
from discosync.database.recall.fingerprints import SeenRows, load_fingerprint, load_replaced
from discosync.database.recall.marks import (
    NextMark,
    forget_mark,
    leaving_mark,
    load_mark,
    load_passages,
    load_remembered,
)
from discosync.files.snapshot import OpenSnapshot

__all__ = ["SnapshotRecall", "forget_mark"]


class SnapshotRecall:
    """Recalls the last applied snapshot of a seller for the one that is compared now.

    `session` is None where there is no database yet: then nothing is recalled, but a mark is
    prepared. The same holds when `trust_hash` is False.
    """

    def __init__(self, session: Session | None, snapshot: Snapshot, *, trust_hash: bool) -> None:
        self._session = session
        self._snapshot = snapshot
        self._trust_hash = trust_hash
        # Before any row is read. If another program writes a row later, the mark of this run is
        # invalid; a fingerprint taken later would vouch for rows that the plan never saw.
        self._fingerprint = load_fingerprint(session, snapshot.seller) if session else ""
        self._context = ""
        self._mark: SnapshotMark | None = None
        self._known = KnownRecords()
        self._memory = Memory(self._known)
        self._passages = Passages()
        self._log: PassageLog | None = None

    def begin(self, header: Header) -> None:
        """Look for a mark that is still valid for the rows, and for the way this file is read."""
        self._context = context_of(self._snapshot, header)
        if self._session is None or not self._trust_hash:
            return
        mark = load_mark(self._session, self._snapshot.seller)
        expected = (self._context, self._fingerprint)
        # Otherwise another program has written rows, or the same bytes are read differently now.
        if mark is not None and (mark.context, mark.fingerprint) == expected:
            self._mark = mark

    def plan_again(self) -> ChangeSet | None:
        """Return the plan of the very snapshot that was applied last; None for any other."""
        # The mark is that of a complete snapshot: its plan does not hold for an incomplete one.
        is_complete = self._snapshot.incomplete_because is None
        if self._mark is None or not is_complete or self._mark.sha256 != self._snapshot.sha256:
            return None
        return self._mark.plan_again()

    def load_known(self) -> KnownListings | None:
        """Load what is known from what the mark left; None where the rows must be read."""
        if self._session is None or self._mark is None:
            return None
        known = load_remembered(self._session, self._snapshot.seller)
        if known.checksum != self._mark.checksum:  # it is not all there
            return None
        self._passages = load_passages(self._session, self._snapshot.seller, known.checksum)
        return known

    def distrust(self) -> None:
        """Recall nothing more: a listing that was remembered has no row."""
        self._mark, self._passages = None, Passages()

    def observe(self, known: KnownListings) -> PlanObserver:
        """Begin to remember what the planner finds out about these listings."""
        if not isinstance(known, KnownRecords):
            known = KnownRecords.without_records(known)
        self._known = known
        self._memory = Memory(self._known)
        return self._memory

    def read(
        self, opened: OpenSnapshot, planner: Planner, put_aside: Callable[[ParsedBlock], None]
    ) -> Iterator[int]:
        """Hand the records to the planner, parsed only where their bytes are new.

        Gives again and again how many records more were read.
        """
        recogniser = Recogniser(
            self._known, opened.parser, planner, self._passages, put_aside=put_aside
        )
        self._log = recogniser.log
        return recogniser.read(opened.stream)

    def leave(
        self, session: Session | None, changes: ChangeSet, repeated_ids: Collection[int]
    ) -> Callable[[Session], AbstractContextManager[None]]:
        """Return what must enclose the write of this plan, so that it leaves a mark.

        `session` reads the rows that the plan replaces; None will do for a plan that replaces none.
        """
        left = self._left_by(session, changes, repeated_ids)
        return partial(leaving_mark, seller=self._snapshot.seller, left=left)

    def _left_by(
        self, session: Session | None, changes: ChangeSet, repeated_ids: Collection[int]
    ) -> NextMark:
        # The snapshot was not read: what the last one left stays as it is.
        if self._log is None and self._mark is not None:
            # A correction touches nothing that a plan reads of all rows.
            seen = self._seen(session, changes)
            return NextMark(mark=self._mark, seen=seen, known=None, passages=None)
        # After an incomplete snapshot, or one with a listing in it twice, the same bytes may mean
        # something else next time.
        is_plain = self._snapshot.incomplete_because is None and not repeated_ids
        is_whole = is_plain and self._memory.settles_all_of(changes)
        after = self._memory.known_after(changes)
        mark = SnapshotMark(
            context=self._context,
            fingerprint="",  # that of the rows as this run will have left them
            checksum=after.checksum,
            sha256=self._snapshot.sha256 if is_whole else None,
            records=changes.records,
            for_sale=changes.for_sale,
            left_purged=changes.left_purged,
        )
        passages = Passages()
        if is_plain and self._log is not None:
            passages = self._log.finish(after, self._memory.unsettled_ids)
        return NextMark(
            mark=mark, seen=self._seen(session, changes), known=after, passages=passages
        )

    def _seen(self, session: Session | None, changes: ChangeSet) -> SeenRows:
        rewritten = [rewrite.listing_id for rewrite in changes.rewrites]
        return SeenRows(
            fingerprint=self._fingerprint,
            written=changes.to_write,
            replaced=load_replaced(session, self._snapshot.seller, rewritten),
        )
