"""A fingerprint changes with whatever a plan reads, and with nothing else."""

from collections.abc import Callable

import pytest

from discosync.database.connection.engine import Database
from discosync.database.recall.fingerprints import (
    SeenRows,
    fingerprint_after,
    is_as_seen,
    load_fingerprint,
    load_replaced,
)

Insert = Callable[..., None]


@pytest.fixture
def filled(filled: Database, insert_listing: Insert) -> Database:
    """Two listings of the seller `velvet`, and one of another seller."""
    insert_listing("1", content_hash="a", comments="fine")
    insert_listing("2", content_hash="b")
    insert_listing("1", seller="other", content_hash="c")
    return filled


def _fingerprint(database: Database, seller: str = "velvet") -> str:
    with database.session() as session:
        return load_fingerprint(session, seller)


def _execute(database: Database, statement: str) -> None:
    with database.session(writes=True) as session:
        session.execute(statement)


def test_seller_without_rows_and_purges_has_an_empty_fingerprint(filled: Database) -> None:
    """So a first load needs no special case."""
    assert _fingerprint(filled, "nobody") == ""


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE listings SET content_hash = 'x' WHERE seller = 'velvet' AND listing_id = '1'",
        "UPDATE listings SET is_active = false WHERE seller = 'velvet' AND listing_id = '1'",
        "UPDATE listings SET release_year = 1, image_uri = 'x' WHERE seller = 'velvet'",
        "DELETE FROM listings WHERE seller = 'velvet' AND listing_id = '2'",
    ],
)
def test_what_a_plan_reads_changes_the_fingerprint(filled: Database, statement: str) -> None:
    """The content hash, whether it is for sale and complete, and which listings there are."""
    before = _fingerprint(filled)
    _execute(filled, statement)
    assert _fingerprint(filled) != before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE listings SET comments = 'x' WHERE seller = 'velvet'",
        "UPDATE listings SET content_hash = 'x' WHERE seller = 'other'",
    ],
)
def test_other_columns_and_other_sellers_do_not_change_it(filled: Database, statement: str) -> None:
    """A plan does not read them either."""
    before = _fingerprint(filled)
    _execute(filled, statement)
    assert _fingerprint(filled) == before


def test_purge_changes_the_fingerprint(filled: Database, insert_run: Insert) -> None:
    """A purged listing that a record shows again stays away: the plan has to know it."""
    before = _fingerprint(filled)
    insert_run("purge")
    with filled.session(writes=True) as session:
        key = session.value("SELECT id FROM sync_runs")
        row = {"seller": "velvet", "listing_id": "9", "archive": "x"}
        session.insert("purged_listings", sync_run_id=key, **row)
    assert _fingerprint(filled) != before


def test_fingerprint_after_a_write_is_that_of_the_rows_as_they_are(filled: Database) -> None:
    """On Postgres it is worked out from the rows written here; the next run must find the same.

    On SQLite the triggers watch instead, and the mark proves that nobody wrote.
    """
    with filled.session(writes=True) as session:
        before = load_fingerprint(session, "velvet")
        seen = SeenRows(
            fingerprint=before, written=1, replaced=load_replaced(session, "velvet", [1])
        )
        session.execute(
            "UPDATE listings SET content_hash = 'x' WHERE seller = 'velvet' AND listing_id = '1'"
        )
        after = fingerprint_after(session, "velvet", seen)
    if filled.is_sqlite:
        assert after.startswith("watched:")
    else:
        assert after == _fingerprint(filled) != before


def test_trigger_of_another_program_forbids_a_mark(filled: Database) -> None:
    """It may write more than the plan says; a run that writes nothing sets none off."""
    if not filled.is_sqlite:
        with filled.session() as session:
            assert is_as_seen(session, "velvet", SeenRows(fingerprint="old", written=1))
        return
    _execute(
        filled,
        "CREATE TRIGGER theirs AFTER UPDATE ON listings BEGIN DELETE FROM feature_flags; END",
    )
    before = _fingerprint(filled)
    with filled.session() as session:
        assert is_as_seen(session, "velvet", SeenRows(fingerprint=before))
        assert not is_as_seen(session, "velvet", SeenRows(fingerprint=before, written=1))
        assert not is_as_seen(session, "velvet", SeenRows(fingerprint="old"))
