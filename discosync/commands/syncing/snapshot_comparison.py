"""Compare one snapshot with the database: read its records, load the rows that matter, plan."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from discosync.core.inventory.header import Header
from discosync.core.inventory.parsed import ParsedBlock
from discosync.core.inventory.snapshot import Snapshot
from discosync.core.planning.changes import ChangeSet
from discosync.core.planning.known import KnownListing, KnownListings
from discosync.core.planning.observer import NoObserver, PlanObserver
from discosync.core.planning.plan import Planner
from discosync.database.connection.session import Session
from discosync.database.rows.known import load_known, load_rows
from discosync.files.parsed_file import ParsedFile
from discosync.files.snapshot import OpenSnapshot, open_snapshot
from discosync.runner import Run

_ROWS_AT_ONCE = 2_000
"""How many stored rows one query loads."""


Extend = Callable[[ChangeSet], ChangeSet]

AroundWrite = Callable[[Session], AbstractContextManager[None]]
"""Gives what must enclose the write of a plan, in the session that writes."""

Leave = Callable[[Session | None, ChangeSet], AroundWrite]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A plan, and what was seen on the way to it.

    `repeated_ids` are the listings that the snapshot holds more than once. `header` and `sees` are
    the columns and fields that the snapshot's file shows. `leave` is called with a session that
    reads (None for a plan that writes nothing) and with the plan that will be written; what it
    returns must enclose the write.
    """

    changes: ChangeSet
    repeated_ids: Collection[int]
    header: Header
    sees: frozenset[str]
    leave: Leave


class Recall(Protocol):
    """Saves reading and parsing what a snapshot shares with the one that was applied last."""

    def begin(self, header: Header) -> None:
        """Take the header of the snapshot that is about to be read."""

    def plan_again(self) -> ChangeSet | None:
        """Return the plan if it is known without reading the file; None if it must be read."""

    def load_known(self) -> KnownListings | None:
        """Load what is known of the listings; None when their rows must be read."""

    def distrust(self) -> None:
        """Recall nothing more: what was remembered does not agree with the rows."""

    def observe(self, known: KnownListings) -> PlanObserver:
        """Return the observer of the plan that is made with these listings."""

    def read(
        self, opened: OpenSnapshot, planner: Planner, put_aside: Callable[[ParsedBlock], None]
    ) -> Iterator[int]:
        """Hand all records to the planner; give again and again how many more were read."""

    def leave(
        self, session: Session | None, changes: ChangeSet, repeated_ids: Collection[int]
    ) -> AroundWrite:
        """Return what must enclose the write of this plan; `session` reads the rows first."""


class NoRecall:
    """Recalls nothing: every record is parsed, and what is known is read from the rows."""

    def begin(self, header: Header) -> None:
        """Ignore it."""

    def plan_again(self) -> ChangeSet | None:
        """Have the snapshot read."""

    def load_known(self) -> KnownListings | None:
        """Have the rows read."""

    def distrust(self) -> None:
        """Have nothing to distrust."""

    def observe(self, known: KnownListings) -> PlanObserver:  # noqa: ARG002 - as `Recall` has it
        """Remember nothing."""
        return NoObserver()

    def read(
        self, opened: OpenSnapshot, planner: Planner, put_aside: Callable[[ParsedBlock], None]
    ) -> Iterator[int]:
        """Parse every record; raise `BadData` when the structure of the file is broken."""
        while block := opened.stream.take():
            for parsed in opened.parser.read(block):
                if writable := planner.see_block(parsed):
                    put_aside(writable)
            yield len(block.bodies)

    def leave(
        self,
        session: Session | None,  # noqa: ARG002 - as `Recall` has it
        changes: ChangeSet,  # noqa: ARG002 - as `Recall` has it
        repeated_ids: Collection[int],  # noqa: ARG002 - as `Recall` has it
    ) -> AroundWrite:
        """Leave nothing for the next run."""
        return lambda _session: nullcontext()


class SnapshotComparison:
    """Compares a snapshot with a seller's rows; `session` is None if there is no database yet.

    The records that the plan may write are put aside in `parsed`.
    """

    def __init__(
        self,
        run: Run,
        session: Session | None,
        snapshot: Snapshot,
        parsed: ParsedFile,
        *,
        trust_hash: bool,
        recall: Recall,
    ) -> None:
        self._run = run
        self._session = session
        self._snapshot = snapshot
        self._parsed = parsed
        self._trust_hash = trust_hash
        self._recall = recall
        self._extend: Extend | None = None

    def plan(self, *, extend: Extend | None = None) -> Compared:
        """Plan the snapshot; raise `BadData` when it cannot be read.

        `extend` adds to the plan what another look at the rows shows.
        """
        self._extend = extend
        with open_snapshot(self._snapshot) as opened:
            self._recall.begin(opened.header)
            if (again := self._recall.plan_again()) is not None:
                with self._run.phase("plan"):
                    return self._compared(again, (), opened)
            recalled = self._recall.load_known()
            # Nothing is remembered, as on a first load: read what is known from all rows.
            if recalled is None:
                return self._read(opened, self._load_known())
            try:
                return self._read(opened, recalled)
            except _RowsMissing:
                self._run.progress.end()
        # A remembered listing has no row, so nothing remembered can be trusted: read all rows.
        self._recall.distrust()
        with open_snapshot(self._snapshot) as opened:
            return self._read(opened, self._load_known())

    def _load_known(self) -> KnownListings:
        if self._session is None:
            return KnownListings()
        return load_known(self._session, self._snapshot.seller)

    def _read(self, opened: OpenSnapshot, known: KnownListings) -> Compared:
        run = self._run
        planner = Planner(
            known,
            sees=opened.sees,
            as_of=self._snapshot.as_of or run.started_at,
            may_remove=self._snapshot.incomplete_because is None,
            trust_hash=self._trust_hash,
            observer=self._recall.observe(known),
        )
        feeder = _RowFeeder(self._session, self._snapshot.seller, planner)
        with run.phase("parse"), self._parsed.writing() as put_aside:
            run.progress.begin("comparing listings", len(known) or None)
            for count in feeder.feed(self._recall.read(opened, planner, put_aside)):
                run.progress.advance(count)
        with run.phase("plan"):
            changes = feeder.finish()
        return self._compared(changes, planner.repeated_ids, opened)

    def _compared(
        self, changes: ChangeSet, repeated_ids: Collection[int], opened: OpenSnapshot
    ) -> Compared:
        if self._extend is not None:
            with self._run.phase("plan"):
                changes = self._extend(changes)
        return Compared(
            changes=changes,
            repeated_ids=repeated_ids,
            header=opened.header,
            sees=opened.sees,
            leave=partial(self._recall.leave, repeated_ids=repeated_ids),
        )


class _RowsMissing(LookupError):
    """A listing that is said to be known has no row."""


class _RowFeeder:
    """Feeds the planner the stored rows that it asks for."""

    def __init__(self, session: Session | None, seller: str, planner: Planner) -> None:
        self._session = session
        self._seller = seller
        self._planner = planner

    def feed(self, counts: Iterable[int]) -> Iterator[int]:
        """Feed rows while the snapshot is read; pass on how many records more were read."""
        for count in counts:
            # Some thousand rows at a time: a query for each would cost more than all the rest.
            if len(self._planner.waiting) >= _ROWS_AT_ONCE:
                self._resolve()
            yield count
        self._resolve()

    def _resolve(self) -> None:
        self._planner.resolve(self._load_rows(list(self._planner.waiting)))

    def finish(self) -> ChangeSet:
        """Feed the rows of the listings that are gone, and finish the plan."""
        self._planner.remove(self._load_rows(sorted(self._planner.gone)))
        return self._planner.finish()

    def _load_rows(self, wanted: Sequence[int]) -> list[KnownListing]:
        if self._session is None or not wanted:
            return []
        rows = list(load_rows(self._session, self._seller, wanted))
        if len(rows) < len(wanted):
            raise _RowsMissing(f"{len(wanted) - len(rows)} of {wanted[:5]}… have no row")
        return rows
