"""A mark is left only of rows that the plan saw, and what comes with it comes back."""

from array import array
from collections.abc import Callable
from dataclasses import replace

import pytest

from discosync.core.recall.known_records import KnownRecords
from discosync.core.recall.mark import SnapshotMark
from discosync.core.recall.passages import Passages
from discosync.database.connection.engine import Database
from discosync.database.recall.fingerprints import SeenRows, load_fingerprint
from discosync.database.recall.marks import (
    LISTINGS_PER_CHUNK,
    NextMark,
    forget_mark,
    leaving_mark,
    load_mark,
    load_passages,
    load_remembered,
)

COUNT = LISTINGS_PER_CHUNK + 1
KNOWN = KnownRecords(
    ids=array("q", range(1, COUNT + 1)),
    flags=b"\1" * COUNT,
    raw_digests=b"0123456789abcdef" * COUNT,
)
PASSAGES = Passages(
    sizes=array("I", [9]), counts=array("I", [1]), digests=b"d" * 16, positions=array("I", [0])
)
MARK = SnapshotMark(
    context="c",
    fingerprint="",
    checksum=KNOWN.checksum,
    sha256=None,
    records=1,
    for_sale=1,
    left_purged=0,
)


def _leave(database: Database, known: KnownRecords | None = KNOWN) -> None:
    with database.session(writes=True) as session:
        seen = SeenRows(fingerprint=load_fingerprint(session, "velvet"))
        left = NextMark(mark=MARK, seen=seen, known=known, passages=PASSAGES if known else None)
        with leaving_mark(session, "velvet", left):
            pass


def test_mark_comes_back_with_what_is_remembered(
    filled: Database, insert_listing: Callable[..., None]
) -> None:
    """In pieces of some thousand listings; another seller has no mark."""
    insert_listing("1")
    _leave(filled)
    with filled.session() as session:
        mark = load_mark(session, "velvet")
        assert mark is not None
        assert replace(mark, fingerprint="") == MARK
        assert load_remembered(session, "velvet").checksum == KNOWN.checksum
        assert load_passages(session, "velvet", KNOWN.checksum).pack() == PASSAGES.pack()
        assert load_mark(session, "other") is None


def test_shorter_memory_leaves_nothing_of_a_longer_one(filled: Database) -> None:
    """A piece that is no longer needed goes; without a new memory the stored one stays."""
    _leave(filled)
    shorter = KnownRecords(ids=array("q", [7]), flags=b"\1", raw_digests=b"x" * 16)
    _leave(filled, shorter)
    _leave(filled, None)
    with filled.session() as session:
        assert load_remembered(session, "velvet").checksum == shorter.checksum


def test_no_mark_is_left_of_rows_that_the_plan_did_not_see(
    filled: Database, insert_listing: Callable[..., None]
) -> None:
    """On SQLite somebody may have written since the plan; the mark before it goes, too.

    On Postgres the rows that this transaction wrote are counted instead, so that a mark is left.
    """
    _leave(filled)
    insert_listing("1")
    with filled.session(writes=True) as session:
        left = NextMark(mark=MARK, seen=SeenRows(fingerprint="old"), known=None, passages=None)
        with leaving_mark(session, "velvet", left):
            assert load_mark(session, "velvet") is None
        assert (load_mark(session, "velvet") is None) == filled.is_sqlite


@pytest.mark.parametrize("column", ["checksum", "packed"])
def test_damaged_passages_are_none(filled: Database, column: str) -> None:
    """They save time only: the run then reads each record."""
    _leave(filled)
    with filled.session(writes=True) as session:
        damaged = b"no" if column == "packed" else "no"
        session.execute(f"UPDATE snapshot_passages SET {column} = :damaged", damaged=damaged)
        assert len(load_passages(session, "velvet", KNOWN.checksum)) == 0


def test_passages_of_other_digests_are_none(filled: Database) -> None:
    """Their positions mean other listings beside another memory."""
    _leave(filled)
    with filled.session(writes=True) as session:
        assert len(load_passages(session, "velvet", "other")) == 0
        forget_mark(session, "velvet")
        assert load_mark(session, "velvet") is None
