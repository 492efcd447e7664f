"""What a mark says of the very same snapshot, and what makes a record say something else."""

from dataclasses import replace
from pathlib import Path

from discosync.core.inventory.header import Header
from discosync.core.inventory.snapshot import Snapshot, Source
from discosync.core.recall.mark import SnapshotMark, context_of
from tests.support.shop import NOON

SNAPSHOT = Snapshot(
    path=Path("x.csv"), source=Source.EXPORT, seller="velvet", sha256="a", size_bytes=1, as_of=NOON
)
HEADER = Header(columns=("listing_id", "price"))


def test_same_snapshot_again_changes_nothing() -> None:
    """Every record is unchanged, and purged listings stay away."""
    mark = SnapshotMark(
        context="",
        fingerprint="",
        checksum="",
        sha256="a",
        records=10,
        for_sale=7,
        left_purged=2,
    )
    plan = mark.plan_again()
    assert plan.writes_nothing
    assert (plan.unchanged, plan.compared, plan.active_after) == (10, 8, 7)


def test_context_changes_with_all_that_decides_what_a_record_says() -> None:
    """The currency, the fields that are hidden, and the columns with their order."""
    contexts = {
        context_of(SNAPSHOT, HEADER),
        context_of(replace(SNAPSHOT, currency="EUR"), HEADER),
        context_of(replace(SNAPSHOT, hidden=frozenset({"location"})), HEADER),
        context_of(SNAPSHOT, Header(columns=("location", "listing_id", "price"))),
        context_of(SNAPSHOT, Header(columns=("price", "listing_id"))),
    }
    assert len(contexts) == 5


def test_context_does_not_change_with_the_file_or_its_moment() -> None:
    """The same record in another file says the same."""
    other = replace(SNAPSHOT, sha256="b", as_of=None, path=Path("y.csv"), size_bytes=2)
    assert context_of(other, HEADER) == context_of(SNAPSHOT, HEADER)
