"""A migration that would change a row or a value is stopped."""

from collections.abc import Callable

import pytest

from discosync.database.connection.engine import Database
from discosync.database.schema.row_check import check_rows, keep_rows_aside
from discosync.errors import MigrationFailed


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE listings SET comments = NULL", "comments would differ in 1 listings"),
        ("UPDATE listings SET price_value = 3", "price_value would differ in 2 listings"),
        ("UPDATE listings SET id = id + 100", "2 listings would be gone"),
        ("DELETE FROM listings WHERE listing_id = '1'", "listings had 2 rows and would have 1"),
        ("DELETE FROM sync_runs", "sync_runs had 1 rows and would have 0"),
    ],
)
def test_changed_data_is_named(
    filled: Database,
    insert_listing: Callable[..., None],
    insert_run: Callable[..., None],
    statement: str,
    what: str,
) -> None:
    """The error says in which column, and in how many listings."""
    insert_run("a")
    insert_listing("1", comments="fine", price_value=1.25)
    insert_listing("2", price_value=2)

    with filled.alchemy_session(writes=True) as session:
        before = keep_rows_aside(session)
        session.execute(statement)
        with pytest.raises(MigrationFailed, match=what) as told:
            check_rows(session, before, with_values=True)
    assert told.value.code == "not_unharmed"


def test_new_column_and_unchanged_rows_pass(
    filled: Database, insert_listing: Callable[..., None]
) -> None:
    """What a migration adds is no change; the copy that was put aside is gone afterwards."""
    insert_listing("1", comments="fine", price_value=1.25)
    with filled.alchemy_session(writes=True) as session:
        for _ in range(2):
            before = keep_rows_aside(session)
            assert check_rows(session, before, with_values=True) == 0
        session.execute("ALTER TABLE listings ADD COLUMN shelf INTEGER")
