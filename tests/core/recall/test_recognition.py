"""What is remembered of a snapshot changes how long a plan takes, and nothing else."""

import csv
import io
from dataclasses import dataclass, field, replace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from discosync.core.inventory.block_parser import BlockParser
from discosync.core.inventory.header import RejectedRecord, parse_header
from discosync.core.inventory.listing import (
    CONTENT_FIELDS,
    FILLED_ONCE_FIELDS,
    Listing,
    content_digest,
    content_hash,
)
from discosync.core.inventory.parsed import ParsedBlock
from discosync.core.inventory.record_parser import RecordParser
from discosync.core.inventory.records import NO_DIGEST, RecordStream, split_records
from discosync.core.inventory.snapshot import Snapshot, Source
from discosync.core.planning.changes import ChangeSet, Removed
from discosync.core.planning.differences import find_conflicts
from discosync.core.planning.known import IS_PURGED, STORED_FIELDS, KnownListing
from discosync.core.planning.lifecycle import lifecycle_of_new
from discosync.core.planning.plan import Planner
from discosync.core.recall.known_records import KnownRecords
from discosync.core.recall.mark import SnapshotMark, context_of
from discosync.core.recall.memory import Memory
from discosync.core.recall.passages import Passages
from discosync.core.recall.recognition import Recogniser
from tests.support.shop import NOON

HEADERS = (
    ("listing_id", "release_id", "status", "price", "comments", "location"),
    ("listing_id", "release_id", "status", "price", "comments"),
    ("status", "price", "listing_id", "release_id", "location", "comments"),
    ("listing_id", "release_id", "status", "price", "comments", "location", "release_year",
     "image_uri"),
)  # fmt: skip

record_texts = st.fixed_dictionaries(
    {
        "listing_id": st.sampled_from(["1", "2", "3", "4", "5", "05", "none"]),
        "release_id": st.just("7"),
        "status": st.sampled_from(["For Sale", "for sale", "Sold", "Draft"]),
        "price": st.sampled_from(["12.5", "12.50", "9", "free"]),
        "comments": st.sampled_from(["", "fine", " fine ", "two\nlines", 'a "quote"', "a &amp; b"]),
        "location": st.sampled_from(["", "A, 1"]),
        "release_year": st.sampled_from(["", "1984"]),
        "image_uri": st.sampled_from(["", "https://i.example/1.jpeg"]),
    }
)


@dataclass(frozen=True)
class Hour:
    """One export as it may come, and whether a purge follows it."""

    header: tuple[str, ...]
    currency: str | None
    records: list[dict[str, str]]
    is_complete: bool
    purges: bool

    @property
    def body(self) -> bytes:
        """Write it as a file."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(self.header)
        writer.writerows([record[name] for name in self.header] for record in self.records)
        return text.getvalue().encode()


hours = st.builds(
    Hour,
    header=st.sampled_from(HEADERS),
    currency=st.sampled_from(["EUR", "EUR", "EUR", "USD", None]),
    records=st.lists(record_texts, max_size=6),
    is_complete=st.sampled_from([True, True, True, False]),
    purges=st.sampled_from([False, False, False, True]),
)


class NotingStream(RecordStream):
    """Counts the lines that are passed over, which are records where no text has a line end."""

    lines_passed_over = 0

    def pass_over(self, size_bytes: int, digest: bytes) -> bool:
        """Pass over what has this digest."""
        before = self._line
        has_passed = super().pass_over(size_bytes, digest)
        self.lines_passed_over += self._line - before
        return has_passed


@dataclass
class World:
    """A database in memory, with or without a memory of its last snapshot."""

    remembers: bool
    rows: dict[int, KnownListing] = field(default_factory=dict)
    purged: set[int] = field(default_factory=set)
    remembered: KnownRecords | None = None
    context: str = ""
    passages: bytes = field(default_factory=lambda: Passages().pack())
    read: int = 0
    passed_over: int = 0
    mark: SnapshotMark | None = None

    def live(self, hour: Hour) -> ChangeSet | list[int]:
        """Plan and apply one hour; or name what contradicts itself."""
        raw = list(split_records(io.BytesIO(hour.body)))
        header = parse_header(raw[0])
        snapshot = _snapshot(hour)
        context = context_of(snapshot, header)
        known, sees = self._known(context), header.sees
        if hour.currency is not None:
            sees |= {"price_currency"}
        memory = Memory(known)
        planner = Planner(
            known, sees=sees, as_of=NOON, may_remove=hour.is_complete, observer=memory
        )
        parser = BlockParser(header, currency=hour.currency)
        passages = Passages.unpack(self.passages) if known is self.remembered else Passages()
        aside: list[ParsedBlock] = []
        recogniser = Recogniser(
            known, parser, planner, passages, put_aside=aside.append, records_per_passage=2
        )
        stream = NotingStream(io.BytesIO(hour.body))
        head = stream.take()
        if head is not None and len(head.bodies) > 1:
            stream.give_back(head, 1)
        self.read = sum(recogniser.read(stream))
        self.passed_over = stream.lines_passed_over
        planner.resolve([self.rows[i] for i in list(planner.waiting)])
        planner.remove([self.rows[i] for i in sorted(planner.gone)])
        changes = planner.finish()
        one = RecordParser(header, currency=hour.currency)
        listings = [one.parse(record) for record in raw[1:]]
        conflicts = find_conflicts(listings, planner.repeated_ids)
        if conflicts:
            return conflicts
        first = {x.listing_id: x for x in reversed(listings) if isinstance(x, Listing)}
        put = [record.listing for block in aside for record in block.records]
        assert len({listing.listing_id for listing in put}) == len(put)
        assert all(listing == first[listing.listing_id] for listing in put)
        self._apply(changes, {listing.listing_id: listing for listing in put}, sees)
        self.remembered, self.context = memory.known_after(changes), context
        is_plain = hour.is_complete and not planner.repeated_ids
        unsettled = memory.unsettled_ids
        left = recogniser.log.finish(self.remembered, unsettled) if is_plain else Passages()
        self.passages = left.pack()
        is_whole = memory.settles_all_of(changes)
        is_whole = is_whole and not planner.repeated_ids and hour.is_complete
        self.mark = _mark(changes) if is_whole else None
        if hour.purges:
            self._purge()
        return changes

    def _known(self, context: str) -> KnownRecords:
        if self.remembers and self.remembered is not None and self.context == context:
            return self.remembered
        purged = [(i, IS_PURGED, None) for i in self.purged - self.rows.keys()]
        rows = [(i, row.flags, row.content_hash) for i, row in self.rows.items()]
        return KnownRecords.of([*rows, *purged])

    def _apply(
        self, changes: ChangeSet, put_aside: dict[int, Listing], sees: frozenset[str]
    ) -> None:
        for listing_id in changes.added:
            listing = put_aside[listing_id]
            for_sale = listing.is_for_sale
            self.rows[listing_id] = KnownListing(
                listing_id=listing_id,
                values=tuple(getattr(listing, name) for name in STORED_FIELDS),
                lifecycle=lifecycle_of_new(listing.status, is_for_sale=for_sale, as_of=NOON),
                content_hash=content_hash(listing),
            )
        for rewrite in changes.rewrites:
            row = self.rows[rewrite.listing_id]
            values = dict(zip(STORED_FIELDS, row.values, strict=True))
            if not isinstance(rewrite, Removed) or rewrite.in_snapshot:
                shown = put_aside[rewrite.listing_id]
                values |= {n: getattr(shown, n) for n in CONTENT_FIELDS if n in sees}
                extras = {n: getattr(shown, n) for n in FILLED_ONCE_FIELDS}
                values |= {n: value for n, value in extras.items() if value is not None}
            self.rows[rewrite.listing_id] = row._replace(
                values=tuple(values.values()),
                lifecycle=rewrite.lifecycle,
                content_hash=rewrite.content_hash or None,
            )

    def _purge(self) -> None:
        gone = {i for i, row in self.rows.items() if not row.lifecycle.is_active}
        self.rows = {i: row for i, row in self.rows.items() if i not in gone}
        self.purged |= gone
        self.remembered = self.mark = None  # as every run but a sync does


def _snapshot(hour: Hour) -> Snapshot:
    return Snapshot(
        path=None,  # type: ignore[arg-type]
        source=Source.FILE,
        seller="",
        sha256="",
        size_bytes=0,
        as_of=NOON,
        currency=hour.currency,
    )


def _mark(changes: ChangeSet) -> SnapshotMark:
    return SnapshotMark(
        context="",
        fingerprint="",
        checksum="",
        sha256="",
        records=changes.records,
        for_sale=changes.for_sale,
        left_purged=changes.left_purged,
    )


@settings(max_examples=300)
@given(st.lists(hours, min_size=1, max_size=5), st.sampled_from([1, 2]))
def test_remembering_changes_no_plan(life: list[Hour], times: int) -> None:
    """Whatever comes hour after hour, plans and rows are the same with and without a memory."""
    remembering, forgetful = World(remembers=True), World(remembers=False)
    for hour in life:
        for _ in range(times):
            assert remembering.live(hour) == forgetful.live(hour)
            assert remembering.rows == forgetful.rows


@settings(max_examples=200)
@given(st.lists(hours, min_size=1, max_size=4))
def test_marked_snapshot_again_is_the_plan_that_reading_would_give(life: list[Hour]) -> None:
    """What a mark says of the very same snapshot is what planning it again says."""
    world = World(remembers=False)
    for hour in life:
        plan, mark = world.live(hour), world.mark
        if isinstance(plan, ChangeSet) and mark is not None:
            assert world.live(replace(hour, purges=False)) == mark.plan_again()


def test_unchanged_records_are_passed_over() -> None:
    """A memory that knows nothing would pass every other test."""
    texts = {"release_id": "7", "status": "For Sale", "price": "9", "comments": "", "location": ""}
    records = [{"listing_id": str(n), **texts} for n in range(1, 10)]
    hour = Hour(HEADERS[0], "EUR", records, is_complete=True, purges=False)
    world = World(remembers=True)
    world.live(hour)
    assert (world.read, world.passed_over) == (9, 0)
    world.live(hour)
    assert (world.read, world.passed_over) == (9, 9)
    other = [*records[:2], {**records[2], "price": "9.00"}, *records[3:]]
    changes = world.live(replace(hour, records=other))
    assert isinstance(changes, ChangeSet)
    assert changes.writes_nothing
    assert (world.read, world.passed_over) == (9, 7)
    for shown in (other[1:], [*other[4:], *other[:4]], [other[0], *other]):
        world.live(replace(hour, records=shown))
        assert world.read == len(shown)
        assert world.passed_over >= len(shown) - 3
        world.live(replace(hour, records=other))
    world.live(replace(hour, records=other, currency="USD"))
    assert world.passed_over == 0


def test_passages_are_found_again_behind_many_changes() -> None:
    """Where passage after passage changed several are taken at once, and one where one did."""
    long = {"comments": "x" * 3_000, "location": ""}  # longer than a passage may grow
    texts = {"release_id": "7", "status": "For Sale", "price": "9", **long}
    records = [{"listing_id": str(n), **texts} for n in range(1, 65)]
    hour = Hour(HEADERS[0], "EUR", records, is_complete=True, purges=False)
    world = World(remembers=True)
    world.live(hour)
    # Of 32 passages the first ten are not as they were: 1, 2, 4 and 8 are taken. Later one is not.
    others = {*range(0, 20, 2), 45}
    shown = [{**r, "price": "8"} if at in others else r for at, r in enumerate(records)]
    changes = world.live(replace(hour, records=shown))
    assert isinstance(changes, ChangeSet)
    assert len(changes.updated) == len(others)
    assert (world.read, world.passed_over) == (64, 64 - 2 * (1 + 2 + 4 + 8) - 2)


def test_gone_listing_is_not_recognised() -> None:
    """What vanished and comes back byte by byte is a return, not an unchanged record."""
    texts = {"release_id": "7", "status": "For Sale", "price": "9", "comments": "", "location": ""}
    records = [{"listing_id": str(n), **texts} for n in range(1, 4)]
    hour = Hour(HEADERS[0], "EUR", records, is_complete=True, purges=False)
    world = World(remembers=True)
    world.live(hour)
    world.live(replace(hour, records=records[:2]))
    changes = world.live(hour)
    assert isinstance(changes, ChangeSet)
    assert [x.listing_id for x in changes.reactivated] == [3]


free_texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
    st.sampled_from(["cafe\u0301", "\u212b", "A &amp; B", "a\rb", "a\r\nb", "\u00a0x ", "e\u0301"]),
)


@settings(max_examples=300)
@example(texts=["cafe\u0301"] * 2, header=("location", "comments"), ends="\n", currency="EUR")
@given(
    texts=st.lists(free_texts, min_size=2, max_size=2),
    header=st.permutations(("location", "comments")),
    ends=st.sampled_from(["\r\n", "\n"]),
    currency=st.sampled_from(["EUR", None]),
)
def test_digest_of_a_record_is_that_of_its_listing(
    texts: list[str], header: tuple[str, ...], ends: str, currency: str | None
) -> None:
    """The parser's shortcut to the content's digest gives what the listing's fields give."""
    columns = ("listing_id", "release_id", "status", "price", *header)
    lines = [columns, ("1", "7", "For Sale", "12.50", *map(_quoted, texts))]
    body = "".join(",".join(line) + ends for line in lines)
    raw = list(split_records(io.BytesIO(body.encode())))
    parsed = RecordParser(parse_header(raw[0]), currency=currency).read(raw[1])
    assert not isinstance(parsed, RejectedRecord)
    assert parsed.digest == content_digest(parsed.listing) != NO_DIGEST


def _quoted(text: str) -> str:
    """Quote a text if it has to be: `csv` decides otherwise when lines end in a bare line feed."""
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\r\n') else text
