"""One snapshot against one database: by the mark that the last run left, or by reading all."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from discosync.commands.syncing.rules import RULES_DIGEST
from discosync.core.inventory.header import Header
from discosync.core.inventory.snapshot import Snapshot
from discosync.core.planning.changes import ChangeSet
from discosync.core.planning.known import KnownListing, KnownListings
from discosync.core.planning.plan import Planner
from discosync.core.recall.passages import Passages
from discosync.core.recall.recognition import Recogniser
from discosync.core.recall.remembered import SnapshotMark, context_of
from discosync.database.connection.session import Session
from discosync.database.recall.fingerprints import SeenRows, load_fingerprint, load_replaced
from discosync.database.recall.marks import NextMark, load_mark, load_passages, load_remembered
from discosync.database.rows.known import load_known, load_rows
from discosync.files.parsed import ParsedFile
from discosync.files.snapshot import OpenSnapshot, open_snapshot
from discosync.runner import Run

_ROWS_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A plan, the listings that the snapshot holds more than once, and what the run leaves.

    `header` and `sees` are what the snapshot's file shows.
    """

    changes: ChangeSet
    repeated_ids: Collection[int]
    left: NextMark
    header: Header
    sees: frozenset[str]


class Comparer:
    """Compares a snapshot with the database (None: with nothing) by the shortest way that holds.

    The records that the plan may write are put aside in `parsed`.

    The very snapshot that was applied last is not even read, as long as the seller's rows are as
    that left them; of another one, those records are not parsed whose bytes are as they were.
    """

    def __init__(
        self,
        run: Run,
        session: Session | None,
        snapshot: Snapshot,
        parsed: ParsedFile,
        *,
        trust_hash: bool,
    ) -> None:
        self._run = run
        self._session = session
        self._seller = snapshot.seller
        self._snapshot = snapshot
        self._parsed = parsed
        self._trust_hash = trust_hash
        self._fingerprint = load_fingerprint(session, self._seller) if session else ""

    def compare(self) -> Compared:
        """Plan the snapshot."""
        with open_snapshot(self._snapshot) as opened:
            context = context_of(self._snapshot, opened.header, rules=RULES_DIGEST)
            mark = self._load_mark(context)
            if mark is not None and self._is_known_as_a_whole(mark):
                return self._by_mark(mark, opened)
            remembered = self._load_remembered(mark)
            if remembered is not None:
                try:
                    passages = self._load_passages(remembered)
                    return self._by_reading(opened, remembered, context, passages)
                except _RowsMissing:
                    self._run.progress.end()
            else:
                return self._by_reading(opened, self._load_known(), context, Passages())
        # What was remembered is not what is there: only reading all of the rows will do.
        with open_snapshot(self._snapshot) as opened:
            return self._by_reading(opened, self._load_known(), context, Passages())

    def _load_mark(self, context: str) -> SnapshotMark | None:
        """Load the mark, if it still holds and is of a snapshot that was read alike."""
        if self._session is None or not self._trust_hash:
            return None
        mark = load_mark(self._session, self._seller)
        if mark is None or (mark.context, mark.fingerprint) != (context, self._fingerprint):
            return None
        return mark

    def _is_known_as_a_whole(self, mark: SnapshotMark) -> bool:
        is_complete = self._snapshot.incomplete_because is None
        return is_complete and mark.sha256 == self._snapshot.sha256

    def _load_remembered(self, mark: SnapshotMark | None) -> KnownListings | None:
        if self._session is None or mark is None:
            return None
        known = load_remembered(self._session, self._seller)
        return known if known.checksum == mark.checksum else None

    def _load_passages(self, known: KnownListings) -> Passages:
        if self._session is None:
            return Passages()
        return load_passages(self._session, self._seller, known.checksum)

    def _load_known(self) -> KnownListings:
        if self._session is None:
            return KnownListings()
        return load_known(self._session, self._seller)

    def _by_mark(self, mark: SnapshotMark, opened: OpenSnapshot) -> Compared:
        with self._run.phase("plan"):
            changes = mark.plan_again()
        seen = SeenRows(fingerprint=self._fingerprint)
        return Compared(
            changes=changes,
            repeated_ids=(),
            left=NextMark(mark=mark, seen=seen, known=None, passages=None),
            header=opened.header,
            sees=opened.sees,
        )

    def _by_reading(
        self, opened: OpenSnapshot, known: KnownListings, context: str, passages: Passages
    ) -> Compared:
        run = self._run
        planner = Planner(
            known,
            sees=opened.sees,
            as_of=self._snapshot.as_of or run.started_at,
            may_remove=self._snapshot.incomplete_because is None,
            trust_hash=self._trust_hash,
        )
        reading = _Reading(self._session, self._seller, planner)
        with run.phase("parse"), self._parsed.writing() as put:
            recogniser = Recogniser(known, opened.parser, planner, passages, put_aside=put)
            run.progress.begin("comparing listings", len(known) or None)
            for count in reading.read(recogniser.read(opened.stream)):
                run.progress.advance(count)
        with run.phase("plan"):
            changes = reading.finish()
        return Compared(
            changes=changes,
            repeated_ids=planner.repeated_ids,
            left=self._left_by(planner, recogniser, changes, context),
            header=opened.header,
            sees=opened.sees,
        )

    def _left_by(
        self, planner: Planner, recogniser: Recogniser, changes: ChangeSet, context: str
    ) -> NextMark:
        """Say what the next run may know, once the plan is applied."""
        is_plain = self._snapshot.incomplete_because is None and not planner.repeated_ids
        is_whole = is_plain and planner.remembered.settles_all_of(changes)
        after = planner.remembered.known_after(changes)
        mark = SnapshotMark(
            context=context,
            fingerprint="",
            checksum=after.checksum,
            sha256=self._snapshot.sha256 if is_whole else None,
            records=changes.records,
            for_sale=changes.for_sale,
            left_purged=changes.left_purged,
        )
        rewritten = [rewrite.listing_id for rewrite in changes.rewrites]
        seen = SeenRows(
            fingerprint=self._fingerprint,
            written=changes.to_write,
            replaced=load_replaced(self._session, self._seller, rewritten),
        )
        unsettled = planner.remembered.unsettled_ids
        passages = recogniser.log.finish(after, unsettled) if is_plain else Passages()
        return NextMark(mark=mark, seen=seen, known=after, passages=passages)


class _RowsMissing(LookupError):
    """A listing that is said to be known has no row."""


class _Reading:
    """Feeds the planner the stored rows that it wants."""

    def __init__(self, session: Session | None, seller: str, planner: Planner) -> None:
        self._session = session
        self._seller = seller
        self._planner = planner

    def read(self, counts: Iterable[int]) -> Iterable[int]:
        """Have the snapshot read; tell again and again how many records more were read."""
        for count in counts:
            if len(self._planner.waiting) >= _ROWS_AT_ONCE:
                self._resolve()
            yield count
        self._resolve()

    def _resolve(self) -> None:
        self._planner.resolve(self._load_rows(list(self._planner.waiting)))

    def finish(self) -> ChangeSet:
        """Finish the plan."""
        self._planner.remove(self._load_rows(sorted(self._planner.gone)))
        return self._planner.finish()

    def _load_rows(self, wanted: Sequence[int]) -> list[KnownListing]:
        if self._session is None or not wanted:
            return []
        rows = list(load_rows(self._session, self._seller, wanted))
        if len(rows) < len(wanted):
            raise _RowsMissing(f"{len(wanted) - len(rows)} of {wanted[:5]}… have no row")
        return rows
