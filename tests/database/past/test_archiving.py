"""A listing comes back from an archive's lines as it went, a shop's own columns included."""

import json
from collections.abc import Callable

from discosync.database.connection.engine import Database
from discosync.database.past.archiving import archive_lines, insert_archived
from discosync.database.past.purging import delete_purged


def test_columns_of_the_shop_go_into_the_archive_and_back(
    filled: Database, insert_listing: Callable[..., None], insert_run: Callable[..., None]
) -> None:
    """Their names and types are the database's: moments and amounts come back as such."""
    with filled.session(writes=True) as session:
        session.execute("ALTER TABLE listings ADD COLUMN shelf_since TIMESTAMP")
        session.execute("ALTER TABLE listings ADD COLUMN bought_for NUMERIC(8, 2)")
    own = {"shelf_since": "2026-01-02 03:04:05.000000", "bought_for": 1.25}
    insert_listing("1", is_active=False, price_value=9.99, comments="it's fine", **own)
    insert_run("purge")

    def rows() -> list[tuple[object, ...]]:
        with filled.session() as session:
            return [tuple(row) for row in session.execute("SELECT * FROM listings")]

    before = rows()
    with filled.alchemy_session(writes=True) as session:
        key = session.value("SELECT id FROM sync_runs")
        lines = [json.loads(json.dumps(line)) for line in archive_lines(session, "velvet", [1])]
        delete_purged(session, "velvet", [1], run_key=key, archive="x.gz")
    assert rows() == []

    with filled.alchemy_session(writes=True) as session:
        assert insert_archived(session, lines, seller="velvet", run_key=key) == [1]
        assert insert_archived(session, lines, seller="velvet", run_key=key) == []

    assert rows() == before
