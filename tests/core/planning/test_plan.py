"""The plan: what a snapshot changes, and what it must not."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discosync.core.inventory.header import RejectedRecord
from discosync.core.inventory.listing import CONTENT_FIELDS, EXTRA_FIELDS, Listing, content_hash
from discosync.core.inventory.parsed import VALUE_FIELDS, ParsedRecord
from discosync.core.planning.changes import ACTIVE, ChangeSet, Lifecycle, Removed
from discosync.core.planning.differences import find_conflicts
from discosync.core.planning.known import STORED_FIELDS, KnownListing, KnownListings
from discosync.core.planning.plan import Planner
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
    changes = Mirror([make_listing(0, location=None)]).plan([*make_shop(1)])
    assert changes.is_empty
    assert len(changes.completed) == 1
    assert changes.unchanged == 1


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
