"""Slices of rows for the slow check, and rows that it corrects."""

from dataclasses import replace

import pytest

from discosync.core.inventory.listing import CONTENT_FIELDS
from discosync.core.planning.changes import ACTIVE, Corrected, FieldChange
from discosync.core.planning.drift import find_drifted
from discosync.database.connection.bulk import bulk_writer
from discosync.database.connection.engine import open_database
from discosync.database.rows.checked import load_slice, write_corrected
from tests.support.program import Program
from tests.support.shop import FIRST_ID, NOON, SELLER


@pytest.fixture
def mirror(program: Program) -> Program:
    """Twenty listings."""
    assert program("sync").exit_code == 0
    return program


def test_slices_follow_each_other(mirror: Program) -> None:
    """In the order of their ids; the first one counts all rows of the seller."""
    database = open_database(mirror.database_url, read_only=False, application="test")
    with database.session() as session:
        first = load_slice(session, SELLER, after="", limit=15)
        second = load_slice(session, SELLER, after=first.last, limit=15)
        third = load_slice(session, SELLER, after=second.last, limit=15)
    assert [len(found) for found in (first, second, third)] == [15, 5, 0]
    assert first.total == 20
    ids = [row.listing_id for found in (first, second) for row in found.rows]
    assert ids == list(range(FIRST_ID, FIRST_ID + 20))
    assert find_drifted(first.rows) == []


def test_a_correction_writes_one_row(mirror: Program) -> None:
    """Only as the check saw it, and a derived column only with what it comes from."""
    mirror.query("UPDATE listings SET primary_artist = 'own', primary_label = 'own'")
    database = open_database(mirror.database_url, read_only=False, application="test")
    with database.session(writes=True) as session:
        (row,) = load_slice(session, SELLER, after="", limit=1).rows
        change = Corrected(
            listing_id=FIRST_ID,
            heading="",
            fields=(FieldChange("label_names", "x", "Orchard Recordings"),),
            lifecycle=ACTIVE,
            content_hash=str(row.content_hash),
            expected_hash=row.content_hash,
            content=tuple(row.values[: len(CONTENT_FIELDS)]),
        )
        for asked, count in ((replace(change, expected_hash="1:other"), 0), (change, 1)):
            writer = bulk_writer(session)
            assert write_corrected(writer, [asked], seller=SELLER, now=NOON) == count
    found = mirror.query("SELECT * FROM listings ORDER BY listing_id")
    assert [(x["primary_artist"], x["primary_label"]) for x in found[:2]] == [
        ("own", "Orchard Recordings"), ("own", "own"),
    ]  # fmt: skip


def test_an_odd_value_spoils_only_its_own_row(sqlite_program: Program) -> None:
    """A value that cannot be read is None; a moment that is none leaves the row unread."""
    assert sqlite_program("sync").exit_code == 0
    sqlite_program.query("UPDATE listings SET price_value = 'free' WHERE id = 3")
    sqlite_program.query("UPDATE listings SET removed_at = 'soon' WHERE id = 4")
    database = open_database(sqlite_program.database_url, read_only=True, application="test")
    with database.session() as session:
        found = load_slice(session, SELLER, after="", limit=50)
    assert list(found.unreadable) == [FIRST_ID + 3]
    assert [row.listing_id for row in find_drifted(found.rows)] == [FIRST_ID + 2]
