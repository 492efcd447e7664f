"""The plan: what a snapshot changes, and what it must not."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discosync.core.inventory.header import RejectedRecord
from discosync.core.inventory.listing import CONTENT_FIELDS, EXTRA_FIELDS, Listing, content_hash
from discosync.core.inventory.parsed import VALUE_FIELDS, ParsedBlock, ParsedRecord
from discosync.core.inventory.records import NO_DIGEST
from discosync.core.planning.changes import ACTIVE, ChangeSet, Lifecycle, Removed
from discosync.core.planning.differences import find_conflicts
from discosync.core.planning.known import (
    IS_ACTIVE,
    IS_PURGED,
    STORED_FIELDS,
    KnownListing,
    KnownListings,
)
from discosync.core.planning.plan import Planner
from discosync.errors import BadData
from tests.support.shop import FIRST_ID, NOON, make_listing, make_shop

EVERYTHING = frozenset(CONTENT_FIELDS + EXTRA_FIELDS)
BEFORE = NOON - timedelta(days=3)
GONE = Lifecycle(is_active=False, removed_at=BEFORE, removal_reason="missing", sold_at=None)


class Mirror:
    """What a database would know, in memory."""

    def __init__(self, listings: list[Listing], lifecycle: Lifecycle = ACTIVE) -> None:
        self.rows = {
            x.listing_id: KnownListing(
                listing_id=x.listing_id,
                values=tuple(getattr(x, f) for f in STORED_FIELDS),
                lifecycle=lifecycle,
                content_hash=content_hash(x),
            )
            for x in listings
        }

    def plan(
        self,
        records: list[Listing | RejectedRecord],
        *,
        sees: frozenset[str] = EVERYTHING,
        may_remove: bool = True,
    ) -> ChangeSet:
        """Plan as a run does."""
        known = KnownListings.of((i, row.flags, row.content_hash) for i, row in self.rows.items())
        planner = Planner(known, sees=sees, as_of=NOON, may_remove=may_remove)
        for record in records:
            if isinstance(record, RejectedRecord):
                planner.reject(record)
            else:
                planner.see(ParsedRecord.of(record))
        planner.resolve([self.rows[i] for i in list(planner.waiting)])
        planner.remove([self.rows[i] for i in sorted(planner.gone)])
        return planner.finish()


def test_values_of_rows_and_records_begin_alike() -> None:
    """Both hold the content first, in one order: they are compared place by place."""
    count = len(CONTENT_FIELDS)
    assert STORED_FIELDS[:count] == VALUE_FIELDS[:count] == CONTENT_FIELDS


def test_unchanged_inventory_plans_nothing() -> None:
    """The same inventory again is no change, and no write."""
    changes = Mirror(make_shop(5)).plan([*make_shop(5)])
    assert changes.is_empty
    assert changes.writes_nothing
    assert changes.unchanged == 5


@given(st.randoms(use_true_random=False), st.integers(0, 40))
def test_order_of_records_is_irrelevant(rng: random.Random, kept: int) -> None:
    """Shuffled records give the same plan."""
    shop = [*make_shop(kept), make_listing(90), make_listing(91, status="Sold")]
    mirror = Mirror(make_shop(40))
    shuffled = rng.sample(shop, len(shop))
    assert mirror.plan([*shuffled]) == mirror.plan([*shop])


@given(st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30)))
def test_counts_add_up(known: set[int], shown: set[int], sold: set[int]) -> None:
    """Seen = added + updated + unchanged + reactivated + removed in sight + quarantined."""
    records = [make_listing(n, status="Sold" if n in sold else "For Sale") for n in shown]
    changes = Mirror([make_listing(n) for n in known]).plan([*records])
    in_sight = sum(removed.in_snapshot for removed in changes.removed)
    assert changes.seen == (
        len(changes.added) + len(changes.updated) + changes.unchanged
        + len(changes.reactivated) + in_sight + len(changes.rejected)
    )  # fmt: skip
    assert changes.active_after == len(shown - sold)


def test_listing_whose_record_was_rejected_is_kept() -> None:
    """A record we could not read is unknown, not gone."""
    bad = RejectedRecord(line=3, reason="bad", listing_id=FIRST_ID + 1)
    changes = Mirror(make_shop(3)).plan([make_listing(0), bad, make_listing(2)])
    assert changes.removed == ()
    assert changes.protected == 1


def test_incomplete_snapshot_removes_nothing() -> None:
    """A part proves no absence, but what it shows counts."""
    sold = make_listing(0, status="Sold")
    changes = Mirror(make_shop(5)).plan([sold], may_remove=False)
    assert [(r.listing_id, r.in_snapshot) for r in changes.removed] == [(FIRST_ID, True)]


def test_gone_again_is_no_news() -> None:
    """A listing that is inactive and still missing is not touched."""
    assert Mirror(make_shop(2), GONE).plan([]).writes_nothing


def test_returned_listing_is_reactivated_with_its_story() -> None:
    """Back again: active, and the change tells since when it was gone."""
    changes = Mirror(make_shop(1), GONE).plan([*make_shop(1)])
    assert [c.field for c in changes.reactivated[0].fields] == [
        "is_active", "removed_at", "removal_reason"
    ]  # fmt: skip
    assert changes.reactivated[0].lifecycle == ACTIVE


def test_sold_after_missing_is_dated_back() -> None:
    """It was sold by the time it was missed."""
    changes = Mirror(make_shop(1), GONE).plan([make_listing(0, status="Sold")])
    assert changes.updated[0].lifecycle.sold_at == BEFORE


def test_sale_seen_happening_is_dated_now() -> None:
    """An active listing that is sold in the snapshot was sold by its moment."""
    changes = Mirror(make_shop(1)).plan([make_listing(0, status="Sold")])
    removed = changes.removed[0]
    assert isinstance(removed, Removed)
    assert removed.lifecycle == Lifecycle(False, NOON, "sold", NOON)


def test_unseen_fields_are_neither_compared_nor_lost() -> None:
    """A source that does not show the location neither changes it nor re-hashes the row."""
    shown = replace(make_listing(0), location=None)
    mirror = Mirror(make_shop(1))
    assert mirror.plan([shown], sees=EVERYTHING - {"location"}).writes_nothing


def test_first_sight_of_a_field_is_learnt_silently() -> None:
    """What was not known yet is completed: written, but no change and no history."""
    changes = Mirror([make_listing(n, location=None) for n in range(2)]).plan([*make_shop(2)])
    assert changes.is_empty
    assert len(changes.completed) == 2
    assert changes.unchanged == 2


def test_older_hash_version_is_rehashed_silently() -> None:
    """A new version of the hash is no change of everything."""
    mirror = Mirror(make_shop(1))
    row = mirror.rows[FIRST_ID]
    mirror.rows[FIRST_ID] = row._replace(content_hash="0:old")
    changes = mirror.plan([*make_shop(1)])
    assert changes.is_empty
    assert changes.completed[0].content_hash == content_hash(make_listing(0))


def test_planning_the_planned_state_changes_nothing() -> None:
    """Once applied, the same snapshot plans nothing."""
    target = [make_listing(0, comments="x"), make_listing(2, status="Sold"), make_listing(9)]
    applied = Mirror([x for x in target if x.is_for_sale])
    sold = Mirror([target[1]], Lifecycle(False, NOON, "sold", None))
    applied.rows |= sold.rows
    assert applied.plan([*target]).writes_nothing


@pytest.mark.parametrize(("other", "conflicts"), [({}, []), ({"comments": "x"}, [FIRST_ID])])
def test_duplicates_conflict_only_when_they_differ(
    other: dict[str, str], conflicts: list[int]
) -> None:
    """Equal duplicates collapse; two stories about one listing do not."""
    records = [make_listing(0), make_listing(0, **other)]
    assert find_conflicts([*records], {FIRST_ID}) == conflicts


class Memory:
    """An observer that notes all that it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[object, ...]] = []

    def keep(self, positions: Iterable[int]) -> None:
        """Note it."""
        self.heard.append(("keep", *positions))

    def settle(self, position: int, raw_digest: bytes, *, flags: int | None = None) -> None:
        """Note it."""
        self.heard.append(("settle", position, raw_digest, flags))

    def add(
        self, listing_ids: Sequence[int], raw_digests: Iterable[bytes], *, are_active: bytes
    ) -> None:
        """Note it, one listing at a time: how many came together is no matter."""
        for listing_id, digest, is_active in zip(listing_ids, raw_digests, are_active, strict=True):
            self.heard.append(("add", listing_id, digest, is_active))


def _planner(
    rows: Iterable[tuple[int, int, str | None]],
    memory: Memory | None = None,
    *,
    sees: frozenset[str] = EVERYTHING,
) -> Planner:
    return Planner(KnownListings.of(rows), sees=sees, as_of=NOON, observer=memory)


def _block(listings: Sequence[Listing], rejected: Sequence[RejectedRecord] = ()) -> ParsedBlock:
    # One index is left out, as a rejected record's would be.
    return ParsedBlock.of(
        ((n + 1, ParsedRecord.of(listing)) for n, listing in enumerate(listings)), rejected
    )


def _digest(number: int) -> bytes:
    return bytes([number]) * len(NO_DIGEST)


_STATUS = st.sampled_from(["For Sale", "Sold"])
_SHOWN = st.lists(st.tuples(st.integers(0, 8), _STATUS), max_size=12)
_KNOWN_ROWS = st.dictionaries(
    st.integers(0, 8), st.sampled_from([IS_ACTIVE, 0, IS_PURGED]), max_size=6
)


@given(_KNOWN_ROWS, _SHOWN, st.integers(0, 12), st.booleans())
def test_a_block_is_its_records_one_by_one(
    rows: dict[int, int],
    shown: list[tuple[int, str]],
    cut: int,
    with_digests: bool,  # noqa: FBT001 - drawn
) -> None:
    """Whole blocks are taken quickly when all is new; plan, memory and choice are the same."""
    known = [
        (FIRST_ID + n, flags, content_hash(make_listing(n)) if flags != IS_PURGED else None)
        for n, flags in rows.items()
    ]
    listings = [make_listing(n, status=status) for n, status in shown]
    at_once, memory = _planner(known, first := Memory()), Memory()
    one_by_one = _planner(known, memory)
    kept: list[int] = []
    for part in (listings[:cut], listings[cut:]):
        digests = [_digest(n) for n in range(len(part) + 1)] if with_digests else []
        picked = at_once.see_block(_block(part), digests)
        wanted = [
            one_by_one.see(ParsedRecord.of(x), _digest(n + 1) if with_digests else NO_DIGEST)
            for n, x in enumerate(part)
        ]
        kept += [x.listing_id for x, is_wanted in zip(part, wanted, strict=True) if is_wanted]
        assert list(picked.ids) == kept[len(kept) - len(picked) :]
        assert len(picked) == sum(wanted)
    assert first.heard == memory.heard
    assert at_once.repeated_ids == one_by_one.repeated_ids
    assert at_once.waiting == one_by_one.waiting
    mirror = Mirror([make_listing(n) for n in rows])
    for planner in (at_once, one_by_one):
        planner.resolve([mirror.rows[i] for i in list(planner.waiting)])
    assert at_once.finish() == one_by_one.finish()


def test_bad_records_of_a_block_count() -> None:
    """Fifty may be bad; the one after that ends the run, and names the first."""
    bad = [RejectedRecord(line=n, reason="bad", listing_id=None) for n in range(1, 52)]
    planner = _planner([])
    planner.see_block(_block(make_shop(4), bad[:50]))
    with pytest.raises(BadData, match=r"^51 of 55 records cannot be read.*line 1: bad") as told:
        planner.reject(bad[50])
    assert told.value.code == "too_many_bad_records"


def test_memory_hears_what_settles_a_listing() -> None:
    """An equal hash settles; a change settles with its new state; what hides fields does not."""
    shop = [make_listing(0), make_listing(1), make_listing(2, status="Sold")]
    mirror = Mirror([make_listing(0), make_listing(1, comments="old"), make_listing(2)])
    rows = [(i, row.flags, row.content_hash) for i, row in mirror.rows.items()]
    planner = _planner(rows, memory := Memory())
    may_write = [planner.see(ParsedRecord.of(x), _digest(n)) for n, x in enumerate(shop)]
    assert may_write == [False, True, True]
    planner.resolve([mirror.rows[i] for i in list(planner.waiting)])
    assert memory.heard == [
        ("settle", 0, _digest(0), None),
        ("settle", 1, _digest(1), IS_ACTIVE),
        ("settle", 2, _digest(2), 0),
    ]
    hiding = _planner(rows, memory := Memory(), sees=EVERYTHING - {"location"})
    hiding.see(ParsedRecord.of(replace(shop[0], location=None, comments="new")), _digest(0))
    hiding.resolve([mirror.rows[FIRST_ID]])
    assert memory.heard == []


def test_row_whose_hash_was_not_known_may_settle_after_all() -> None:
    """It is read because its hash was not there yet; equal content is no change and no write."""
    mirror = Mirror(make_shop(2))
    planner = _planner([(i, IS_ACTIVE, None) for i in mirror.rows], memory := Memory())
    for number in range(2):
        assert planner.see(ParsedRecord.of(make_listing(number)), _digest(number))
    planner.resolve(mirror.rows.values())
    assert memory.heard == [("settle", n, _digest(n), IS_ACTIVE) for n in range(2)]
    changes = planner.finish()
    assert changes.writes_nothing
    assert (changes.unchanged, changes.compared, changes.compared_active) == (2, 2, 2)


def test_recognised_records_count_as_seen() -> None:
    """They change nothing; one that comes twice is noted, and purged ones stay away."""
    flags = [IS_ACTIVE, 0, IS_PURGED, IS_PURGED, IS_ACTIVE, 0]
    rows = [(FIRST_ID + n, flag, f"1:{n:032x}") for n, flag in enumerate(flags)]
    planner = _planner(rows, memory := Memory())

    planner.recognise([0, 1, 2, 3])
    assert planner.repeated_ids == set()
    planner.recognise([4, 1, 4, 5])

    assert planner.repeated_ids == {FIRST_ID + 1, FIRST_ID + 4}
    assert memory.heard == [("keep", 0, 1, 2, 3), ("keep", 4, 5)]
    changes = planner.finish()
    assert (changes.unchanged, changes.for_sale, changes.records) == (6, 2, 6)
    assert (changes.compared, changes.compared_active, changes.left_purged) == (4, 2, 2)
    assert isinstance(changes.left_purged, int)
    assert (changes.known_active, changes.protected) == (2, 0)


def test_purged_listing_stays_away_until_it_is_for_sale() -> None:
    """An export shows it as sold for years; for sale again it begins anew."""
    rows = [(FIRST_ID + n, IS_PURGED, None) for n in range(4)]
    planner = _planner(rows, memory := Memory())
    for number in (0, 2):
        record = ParsedRecord.of(make_listing(number, status="Sold"))
        assert not planner.see(record, _digest(number))
    for number in (1, 3):
        assert planner.see(ParsedRecord.of(make_listing(number)), _digest(number))
    assert memory.heard == [
        *(("settle", number, _digest(number), None) for number in (0, 2)),
        *(("settle", number, _digest(number), IS_ACTIVE) for number in (1, 3)),
    ]
    changes = planner.finish()
    assert list(changes.added) == [FIRST_ID + 1, FIRST_ID + 3]
    assert (changes.added_active, changes.for_sale) == (2, 2)
    assert (changes.unchanged, changes.left_purged, changes.compared) == (2, 2, 0)


def test_plan_counts_what_its_limits_need() -> None:
    """Each count on its own, with another number each."""
    mirror = Mirror(make_shop(5))
    sold = Mirror([make_listing(7, status="Sold")], Lifecycle(False, BEFORE, "sold", None))
    mirror.rows |= sold.rows
    shown = [
        make_listing(0),
        make_listing(1, comments="x"),
        make_listing(2, status="Sold"),
        make_listing(7, status="Sold"),
        make_listing(8),
        make_listing(9, status="Draft"),
    ]
    bad = RejectedRecord(line=9, reason="bad", listing_id=FIRST_ID + 4)
    changes = mirror.plan([*shown, bad])
    assert [r.listing_id - FIRST_ID for r in changes.removed] == [2, 3]
    assert [r.in_snapshot for r in changes.removed] == [True, False]
    assert (changes.added_active, changes.for_sale, changes.records) == (1, 3, 6)
    assert (changes.known_active, changes.compared, changes.compared_active) == (5, 4, 3)
    assert (changes.unchanged, changes.protected, len(changes.rejected)) == (2, 1, 1)


def test_record_without_a_readable_id_protects_every_listing() -> None:
    """It may be the record of any of them."""
    bad = RejectedRecord(line=2, reason="no id", listing_id=None)
    changes = Mirror(make_shop(3)).plan([make_listing(0), bad])
    assert (changes.removed, changes.protected) == ((), 2)


def test_plan_without_the_rows_that_it_wants_is_not_handed_over() -> None:
    """A record that waits for its row would be forgotten."""
    planner = _planner([(FIRST_ID + n, IS_ACTIVE, None) for n in range(7)])
    for number in range(7):
        planner.see(ParsedRecord.of(make_listing(number)))
    first = [FIRST_ID + n for n in range(5)]
    with pytest.raises(KeyError) as told:
        planner.finish()
    assert told.value.args == (f"listings without their stored rows: {first}",)


@pytest.mark.parametrize(
    ("lacking", "shown", "sees", "is_read"),
    [
        ({"release_year": None}, {}, EVERYTHING, True),
        ({"release_year": None}, {}, frozenset(CONTENT_FIELDS), False),
        ({}, {}, EVERYTHING, False),
        (
            {"release_year": None},
            {"release_year": None, "image_uri": None, "image_resource_url": None}
            | {"uri": None, "resource_url": None, "release_resource_url": None},
            EVERYTHING,
            False,
        ),
    ],
)
def test_row_is_read_only_when_the_record_may_complete_it(
    lacking: dict[str, None],
    shown: dict[str, None],
    sees: frozenset[str],
    is_read: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """The row lacks something, the source shows such things, and this record does."""
    mirror = Mirror([make_listing(0, **lacking)])
    row = mirror.rows[FIRST_ID]
    planner = _planner([(FIRST_ID, row.flags, row.content_hash)], sees=sees)
    planner.see(ParsedRecord.of(make_listing(0, **shown)))
    assert bool(planner.waiting) is is_read


def test_listing_that_comes_twice_counts_once() -> None:
    """New or known, its first record counts; it is named, and the second one is not written."""
    mirror = Mirror([make_listing(0)])
    planner = _planner((i, row.flags, row.content_hash) for i, row in mirror.rows.items())
    shown = [make_listing(number, comments=text) for number in (0, 1) for text in ("a", "b")]
    may_write = [planner.see(ParsedRecord.of(listing)) for listing in shown]
    assert may_write == [True, False, True, False]
    assert planner.repeated_ids == {FIRST_ID, FIRST_ID + 1}
    planner.resolve([mirror.rows[i] for i in list(planner.waiting)])
    changes = planner.finish()
    assert (list(changes.added), changes.for_sale, changes.records) == ([FIRST_ID + 1], 2, 2)
    assert (changes.added_active, changes.compared, changes.compared_active) == (1, 1, 1)


def test_planner_removes_unless_told_otherwise() -> None:
    """A complete snapshot proves absence."""
    rows = [(FIRST_ID, IS_ACTIVE, None), (FIRST_ID + 1, 0, None)]
    assert _planner(rows).gone == {FIRST_ID}
