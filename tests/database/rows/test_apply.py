"""A plan is written as a whole, or not at all."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from discosync.core.inventory.listing import CONTENT_FIELDS, EXTRA_FIELDS
from discosync.core.inventory.parsed import ParsedBlock, ParsedRecord
from discosync.core.planning.changes import (
    ACTIVE,
    ChangeSet,
    FieldChange,
    Lifecycle,
    Removed,
    Updated,
)
from discosync.database.connection.engine import Database
from discosync.database.rows.apply import apply_changes
from discosync.database.rows.listing_rows import Stamp
from discosync.errors import StorageFailed
from tests.support.shop import make_listing

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
STAMP = Stamp(seller="velvet", as_of=NOON, now=NOON, sees=frozenset(CONTENT_FIELDS + EXTRA_FIELDS))
GONE = Lifecycle(is_active=False, removed_at=NOON, removal_reason="missing", sold_at=None)
MISSING = Removed(
    listing_id=1,
    heading="",
    fields=(FieldChange("is_active", before=True, after=False),),
    lifecycle=GONE,
    content_hash="a",
    expected_hash="a",
    in_snapshot=False,
)


def _blocks(*numbers: int) -> list[ParsedBlock]:
    records = [ParsedRecord.of(make_listing(0, listing_id=number)) for number in numbers]
    return [ParsedBlock.of(enumerate(records))]


def _apply(database: Database, changes: ChangeSet, blocks: list[ParsedBlock]) -> None:
    with database.session(writes=True) as session:
        key = session.value("SELECT id FROM sync_runs")
        apply_changes(session, changes, blocks, stamp=STAMP, run_key=key)


def _history(database: Database) -> list[tuple[str, str]]:
    with database.session() as session:
        statement = "SELECT listing_id, kind FROM listing_changes ORDER BY listing_id"
        return [(row[0], row[1]) for row in session.execute(statement)]


def test_only_what_the_plan_names_is_written_each_with_its_history(
    filled: Database, insert_listing: Callable[..., None], insert_run: Callable[..., None]
) -> None:
    """A record that the plan does not name is in the blocks, and stays out of the database."""
    insert_run("a")
    insert_listing("1", content_hash="a")
    insert_listing("2", content_hash="b", release_year=1999)
    update = Updated(
        listing_id=2,
        heading="",
        fields=(FieldChange("comments", before=None, after="No. 0, it's fine"),),
        lifecycle=ACTIVE,
        content_hash="new",
        expected_hash="b",
    )

    changes = ChangeSet(added=[3], updated=(update,), removed=(MISSING,), records=3)
    _apply(filled, changes, _blocks(2, 3, 4))

    with filled.session() as session:
        rows = session.execute(
            "SELECT listing_id, is_active, content_hash FROM listings ORDER BY listing_id"
        ).fetchall()
    assert [(row[0], bool(row[1])) for row in rows] == [("1", False), ("2", True), ("3", True)]
    assert rows[1][2] == "new"
    assert _history(filled) == [("1", "removed"), ("2", "updated"), ("3", "added")]


def test_row_that_is_not_as_planned_undoes_everything(
    filled: Database, insert_listing: Callable[..., None], insert_run: Callable[..., None]
) -> None:
    """Another program wrote the row meanwhile: not even the added listing stays."""
    insert_run("a")
    insert_listing("1", content_hash="other")

    with pytest.raises(StorageFailed) as told:
        _apply(filled, ChangeSet(added=[3], removed=(MISSING,)), _blocks(3))

    assert told.value.code == "conflict"
    assert _history(filled) == []
    with filled.session() as session:
        assert session.value("SELECT count(*) FROM listings") == 1


def test_row_without_a_hash_is_expected_without_one(
    filled: Database, insert_listing: Callable[..., None], insert_run: Callable[..., None]
) -> None:
    """NULL equals no value in SQL, and yet a row of an old shop can be rewritten."""
    insert_run("a")
    insert_listing("1")
    _apply(filled, ChangeSet(removed=(replace(MISSING, expected_hash=None),)), [])
    assert _history(filled) == [("1", "removed")]
