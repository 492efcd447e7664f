"""One snapshot against one database: by the mark that the last run left, or by reading all."""

from collections.abc import Collection

from sqlalchemy import Connection

from discosync import __version__
from discosync.core.changes import ChangeSet
from discosync.core.known import KnownListings
from discosync.core.plan import Planner
from discosync.core.records import RawRecord, RecordBlock, raw_digest
from discosync.core.remembered import SnapshotMark, context_of
from discosync.core.snapshot import Snapshot
from discosync.database.marks import NextMark, load_fingerprint, load_mark, load_remembered
from discosync.database.store import ROWS_PER_QUERY, load_known, load_rows
from discosync.runner import Run
from discosync.snapshot_file import OpenSnapshot, is_blank


class Comparer:
    """Feeds the planner: records from the snapshot, and the stored rows it wants.

    The very snapshot that was applied last is not even read, as long as the seller's rows are as
    that left them; of another one, those records are not parsed whose bytes are as they were.
    """

    def __init__(
        self,
        run: Run,
        connection: Connection | None,
        snapshot: Snapshot,
        opened: OpenSnapshot,
        *,
        trust_hash: bool,
    ) -> None:
        self._run = run
        self._connection = connection
        self._seller = str(run.seller)
        self._snapshot = snapshot
        self._opened = opened
        self._trust_hash = trust_hash
        self._context = context_of(snapshot, opened.header, version=__version__)
        self._before = load_fingerprint(connection, self._seller) if connection else ""
        self._mark = self._load_mark()
        self._planner: Planner | None = None
        self._places: dict[bytes, int] = {}

    def _load_mark(self) -> SnapshotMark | None:
        """Load the mark, if it still holds and is of a snapshot that was read alike."""
        if self._connection is None or not self._trust_hash:
            return None
        mark = load_mark(self._connection, self._seller)
        if mark is None or (mark.context, mark.fingerprint) != (self._context, self._before):
            return None
        return mark

    @property
    def _is_known_as_a_whole(self) -> bool:
        return (
            self._mark is not None
            and self._mark.sha256 == self._snapshot.sha256
            and self._snapshot.incomplete_because is None
        )

    def read(self) -> None:
        """Read what has to be read of the snapshot."""
        if self._is_known_as_a_whole:
            return
        self._planner = planner = self._new_planner()
        self._run.progress.begin("comparing listings", len(self._known) or None)
        for block in self._opened.blocks:
            self._compare(block, planner)
            self._run.progress.advance(len(block.bodies))
        self._resolve(planner)
        self._places = {}  # by far the largest of what is in memory
        self._run.progress.end()

    def _new_planner(self) -> Planner:
        self._known = self._load_known()
        self._places = self._known.index_raw_digests()
        return Planner(
            self._known,
            sees=self._opened.sees,
            as_of=self._snapshot.as_of or self._run.started_at,
            may_remove=self._snapshot.incomplete_because is None,
            trust_hash=self._trust_hash,
        )

    def _load_known(self) -> KnownListings:
        if self._connection is None:
            return KnownListings()
        if self._mark is not None:
            known = load_remembered(self._connection, self._seller)
            if known.checksum == self._mark.checksum:
                return known
        return load_known(self._connection, self._seller)

    def _compare(self, block: RecordBlock, planner: Planner) -> None:
        place_of, read = self._places.get, self._opened.parser.read
        for line, body in zip(block.lines, block.bodies, strict=True):
            digest = raw_digest(body)
            at = place_of(digest)
            if at is not None:
                planner.recognise(at, digest)
            elif not is_blank(body):
                planner.see(read(RawRecord(line, body)), digest)
                if len(planner.waiting) >= ROWS_PER_QUERY:
                    self._resolve(planner)

    def _resolve(self, planner: Planner) -> None:
        if self._connection is not None and planner.waiting:
            wanted = list(planner.waiting)
            planner.resolve(load_rows(self._connection, self._seller, wanted))

    def finish(self) -> ChangeSet:
        """Finish the plan."""
        if self._planner is None:
            assert self._mark is not None  # noqa: S101 - nothing was read because of it
            return self._mark.plan_again()
        gone = sorted(self._planner.gone)
        if self._connection is not None and gone:
            self._planner.remove(load_rows(self._connection, self._seller, gone))
        return self._planner.finish()

    @property
    def repeated_ids(self) -> Collection[int]:
        """Listings that the snapshot holds more than once."""
        return self._planner.repeated_ids if self._planner else ()

    def leave(self, changes: ChangeSet) -> NextMark:
        """Say what the next run may know, once the plan is applied."""
        if self._planner is None and self._mark is not None:
            return NextMark(mark=self._mark, before=self._before, known=None)
        assert self._planner is not None  # noqa: S101 - something was read
        known = self._planner.remembered.known_after(changes)
        is_plain = not changes.rejected and not self.repeated_ids
        is_whole = is_plain and self._snapshot.incomplete_because is None
        mark = SnapshotMark(
            context=self._context,
            fingerprint="",
            checksum=known.checksum,
            sha256=self._snapshot.sha256 if is_whole else None,
            records=changes.records,
            for_sale=changes.for_sale,
            left_purged=changes.left_purged,
        )
        is_same = known == self._known
        return NextMark(mark=mark, before=self._before, known=None if is_same else known)
