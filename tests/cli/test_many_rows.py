"""A run that writes many rows goes without SQLite's triggers, and leaves them as they were."""

from typing import Any

import pytest

from discosync.core.listing import Listing
from discosync.database.apply import apply_changes
from discosync.database.fingerprints import WATCHED
from discosync.database.session import Session
from discosync.errors import StorageFailed
from tests.support.program import Program, Result
from tests.support.shop import make_shop, with_changed, write_export

MANY, FEW = 1_200, 40
TRIGGERS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
MARKS = "SELECT fingerprint FROM snapshot_marks"
ALLOWING = ("--allow-mass-change", "--allow-mass-removal")
IS_WATCHED = [{"fingerprint": WATCHED}]


@pytest.fixture
def watching(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many of the triggers on `listings` there are while rows are written, run by run."""
    counts: list[int] = []

    def look(session: Session, *arguments: Any, **more: Any) -> None:
        own = "type = 'trigger' AND tbl_name = 'listings' AND name LIKE 'watch_%'"
        counts.append(session.value(f"SELECT count(*) FROM sqlite_master WHERE {own}"))
        apply_changes(session, *arguments, **more)

    monkeypatch.setattr("discosync.commands.applying.apply_changes", look)
    return counts


def _sync(program: Program, shop: list[Listing]) -> Result:
    path = write_export(program.directory / "shop.csv", shop)
    return program("sync", "--from-file", str(path), *ALLOWING)


def _commented(shop: list[Listing], count: int) -> list[Listing]:
    for at in range(count):
        shop = with_changed(shop, at, comments="on sale")
    return shop


def test_many_rows_are_not_watched_and_few_are(
    sqlite_program: Program, watching: list[int]
) -> None:
    """The triggers rest for a large write alone; after each the mark holds, and goes as ever."""
    sqlite_program("db", "upgrade")
    before = sqlite_program.query(TRIGGERS)
    shop = make_shop(MANY)
    for hour in (shop, _commented(shop, FEW), _commented(shop, MANY), shop[:100]):
        assert _sync(sqlite_program, hour).exit_code == 0
        assert sqlite_program.query(TRIGGERS) == before
        assert sqlite_program.query(MARKS) == IS_WATCHED
    assert watching == [0, 3, 0, 0]
    sqlite_program.query("UPDATE listings SET is_active = 0 WHERE id = 7")
    assert sqlite_program.query(MARKS) == []


def test_a_shops_own_trigger_sees_every_row(sqlite_program: Program) -> None:
    """What somebody else hangs on the table, by a similar name too, works for large writes."""
    sqlite_program("db", "upgrade")
    sqlite_program.query("CREATE TABLE seen (listing_id TEXT)")
    sqlite_program.query(
        "CREATE TRIGGER watch_listings_insert_for_shop AFTER INSERT ON listings "
        "BEGIN INSERT INTO seen VALUES (NEW.listing_id); END"
    )
    assert _sync(sqlite_program, make_shop(MANY)).exit_code == 0
    assert sqlite_program.query("SELECT count(*) AS rows FROM seen") == [{"rows": MANY}]


def test_a_lost_trigger_stays_lost(sqlite_program: Program) -> None:
    """A table without its triggers is not believed to be watched after a large write either."""
    sqlite_program("db", "upgrade")
    sqlite_program.query("DROP TRIGGER watch_listings_update")
    assert _sync(sqlite_program, make_shop(MANY)).exit_code == 0
    assert len(sqlite_program.query(TRIGGERS)) == 5
    assert sqlite_program.query(MARKS) != IS_WATCHED


def test_a_write_that_fails_leaves_the_triggers(
    sqlite_program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All or nothing: rows, triggers and mark are as before."""
    shop = make_shop(MANY)
    assert _sync(sqlite_program, shop).exit_code == 0
    before = sqlite_program.digest(), sqlite_program.query(TRIGGERS)

    def fail(*arguments: Any, **more: Any) -> None:
        apply_changes(*arguments, **more)
        raise StorageFailed("the disk is full", hint="make room", code="disk")

    monkeypatch.setattr("discosync.commands.applying.apply_changes", fail)
    assert _sync(sqlite_program, _commented(shop, MANY)).exit_code != 0
    assert (sqlite_program.digest(), sqlite_program.query(TRIGGERS)) == before
    assert sqlite_program.query(MARKS) == IS_WATCHED
