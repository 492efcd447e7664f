"""A run that writes many rows goes without SQLite's triggers, and leaves them as they were."""

from dataclasses import replace
from typing import Any

import pytest

from discosync.core.inventory.listing import Listing
from discosync.database.connection.session import Session
from discosync.database.rows.apply import apply_changes
from discosync.errors import StorageFailed
from tests.support.program import Program, Result
from tests.support.shop import SELLER, make_shop, with_changed, write_export

MANY, FEW = 1_200, 40
TRIGGERS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
MARKS = "SELECT fingerprint LIKE 'watched:%' AS is_watched FROM snapshot_marks"
IS_WATCHED = [{"is_watched": 1}]
ALLOWING = ("--allow-mass-change", "--allow-mass-removal", "--allow-shared-listings")


@pytest.fixture
def watching(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many of the triggers on `listings` there are while rows are written, run by run."""
    counts: list[int] = []

    def look(session: Session, *arguments: Any, **more: Any) -> None:
        own = "type = 'trigger' AND tbl_name = 'listings' AND name LIKE 'watch_%'"
        counts.append(session.value(f"SELECT count(*) FROM sqlite_master WHERE {own}"))
        apply_changes(session, *arguments, **more)

    monkeypatch.setattr("discosync.commands.syncing.applying.apply_changes", look)
    return counts


def _sync(program: Program, shop: list[Listing], *options: str, seller: str = SELLER) -> Result:
    path = write_export(program.directory / "shop.csv", shop)
    command = ("sync", "--from-file", str(path), "--seller", seller, *ALLOWING, *options)
    return program(*command, stdin=None)


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


TO_OTHERS = (
    "CREATE TRIGGER one_copy AFTER UPDATE OF status ON listings "
    f"WHEN NEW.status = 'Sold' AND NEW.seller = '{SELLER}' BEGIN "
    "UPDATE listings SET is_active = 0 WHERE seller = 'b' AND listing_id = NEW.listing_id; END"
)
HIDE = (
    "CREATE TRIGGER hide AFTER INSERT ON listings WHEN NEW.listing_id LIKE '%7' BEGIN "
    "UPDATE listings SET is_active = 0 WHERE id = NEW.id; END"
)


@pytest.mark.parametrize("count", [FEW, MANY])
def test_what_a_shops_own_trigger_does_to_others_is_noticed(
    sqlite_program: Program, count: int
) -> None:
    """However many rows a run writes, the other seller's next run sees what came of it."""
    shop = make_shop(count)
    for seller in (SELLER, "b"):
        assert _sync(sqlite_program, shop, seller=seller).exit_code == 0
    sqlite_program.query(TO_OTHERS)
    sold = [replace(x, status="Sold", comments="sold") for x in shop]
    assert _sync(sqlite_program, sold, "--allow-empty").exit_code == 0
    again = _sync(sqlite_program, shop, "--json", seller="b")
    assert again.counts["reactivated"] == count


@pytest.mark.parametrize("count", [FEW, MANY])
def test_what_a_shops_own_trigger_does_to_rows_is_noticed(
    sqlite_program: Program, count: int
) -> None:
    """Where a trigger may write what no plan knows, the next run reads all rows."""
    sqlite_program("db", "upgrade")
    sqlite_program.query(HIDE)
    shop = make_shop(count)
    assert _sync(sqlite_program, shop).exit_code == 0
    assert _sync(sqlite_program, shop, "--json").counts["reactivated"] == count // 10


def test_rows_written_while_the_schema_was_another_are_noticed(sqlite_program: Program) -> None:
    """Back and forth with the schema, and the mark of before is not believed any more."""
    shop = make_shop(FEW)
    assert _sync(sqlite_program, shop).exit_code == 0
    assert sqlite_program("db", "downgrade", "-1").exit_code == 0
    sqlite_program.query("UPDATE listings SET is_active = 0 WHERE id < 5")
    assert sqlite_program("db", "upgrade").exit_code == 0
    assert _sync(sqlite_program, shop, "--json").counts["reactivated"] == 4


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

    monkeypatch.setattr("discosync.commands.syncing.applying.apply_changes", fail)
    assert _sync(sqlite_program, _commented(shop, MANY)).exit_code != 0
    assert (sqlite_program.digest(), sqlite_program.query(TRIGGERS)) == before
    assert sqlite_program.query(MARKS) == IS_WATCHED
