"""What a purge takes, and what it refuses to take."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from discosync.database.connection.engine import Database
from discosync.database.past.purging import (
    delete_purged,
    forget_purged,
    load_present,
    load_purge_plan,
    load_purged,
)
from discosync.errors import StorageFailed

CUTOFF = datetime(2026, 1, 1, tzinfo=UTC)


def test_plan_takes_what_went_until_the_cutoff(
    filled: Database, insert_listing: Callable[..., None]
) -> None:
    """What is for sale stays, and so does what nobody knows since when it is gone."""
    for listing_id, removed_at in (("1", "2025-12-31"), ("2", "2026-01-01"), ("3", "2026-01-02")):
        held = f"{removed_at} 00:00:00.000000"
        insert_listing(listing_id, is_active=False, removal_reason="sold", removed_at=held)
    insert_listing("4", is_active=False)
    insert_listing("5")

    with filled.session() as session:
        plan = load_purge_plan(session, "velvet", CUTOFF)

    assert (plan.listing_ids, plan.by_reason) == ((1, 2), {"sold": 2})
    assert (plan.total, plan.undated) == (5, 1)


def test_listing_that_is_for_sale_again_stops_the_purge(
    filled: Database, insert_listing: Callable[..., None], insert_run: Callable[..., None]
) -> None:
    """Another program changed it meanwhile: the whole transaction is undone."""
    insert_listing("1", is_active=False)
    insert_listing("2")
    insert_run("purge", command="purge-inactive")

    def purge() -> None:
        with filled.session(writes=True) as session:
            key = session.value("SELECT id FROM sync_runs")
            delete_purged(session, "velvet", [1, 2], run_key=key, archive="x.gz")

    with pytest.raises(StorageFailed) as told:
        purge()
    assert told.value.code == "conflict"
    with filled.session() as session:
        assert load_present(session, "velvet", [1, 2, 3]) == {1, 2}


def test_purged_listing_is_known_by_its_archive_until_it_is_back(
    filled: Database, insert_listing: Callable[..., None], insert_run: Callable[..., None]
) -> None:
    """The run that purged it says where the file was written."""
    insert_listing("1", is_active=False)
    insert_run("purge", report='{"archive": {"file": "/kept/x.gz"}}')
    with filled.session(writes=True) as session:
        key = session.value("SELECT id FROM sync_runs")
        delete_purged(session, "velvet", [1], run_key=key, archive="x.gz")

    with filled.session(writes=True) as session:
        purged = load_purged(session, "velvet", 1)
        forget_purged(session, "velvet", "1")
        assert load_purged(session, "velvet", 1) is None

    assert purged is not None
    assert (purged.run_id, purged.archive, purged.file) == ("purge", "x.gz", "/kept/x.gz")
