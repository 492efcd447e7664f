"""A new listing gets an id that is free, however the rows before it got theirs."""

import pytest

from discosync.database.connection.engine import Database, open_database
from discosync.database.schema.migrating import upgrade_schema
from discosync.database.schema.sequences import count_ids_anew
from tests.support.old_shop import make_old_shop, old_row
from tests.support.postgres import Postgres
from tests.support.shop import make_shop


@pytest.fixture
def filled_by_hand(postgres: Postgres) -> Database:
    """A database of ours whose rows were copied with their ids."""
    database = open_database(postgres.create_database(), read_only=False, application="tests")
    upgrade_schema(database)
    with database.session(writes=True) as session:
        session.execute("INSERT INTO listings (id, seller, listing_id) VALUES (7, 'velvet', '71')")
        session.execute(
            "INSERT INTO sync_runs (id, run_id, command, status, exit_code, started_at, "
            "finished_at, report) VALUES (3, 'a', 'sync', 'ok', 0, now(), now(), '{}')"
        )
    return database


def test_sequences_behind_their_ids_are_moved_and_named(filled_by_hand: Database) -> None:
    """Every table's; one that is not behind stays as it is."""
    with filled_by_hand.session(writes=True) as session:
        assert count_ids_anew(session) == ["listings", "sync_runs"]
        assert session.insert("listings", seller="velvet", listing_id="72") == 8
        assert count_ids_anew(session) == []


@pytest.mark.parametrize(
    "statements",
    [
        (),
        ("CREATE SEQUENCE apart", "ALTER TABLE listings ALTER id SET DEFAULT nextval('apart')"),
        (
            "ALTER TABLE listings ALTER id DROP DEFAULT",
            "ALTER TABLE listings ALTER id ADD GENERATED ALWAYS AS IDENTITY",
        ),
        ("ALTER TABLE listings ALTER id DROP DEFAULT", "DROP SEQUENCE listings_id_seq"),
    ],
    ids=["serial", "a sequence of no table", "identity", "none"],
)
def test_adopted_table_counts_on(postgres: Postgres, statements: tuple[str, ...]) -> None:
    """An old shop's table that was copied with its ids gives the next listing the next one."""
    url = postgres.create_database()
    make_old_shop(url, [{**old_row(listing), "id": n} for n, listing in enumerate(make_shop(3), 5)])
    database = open_database(url, read_only=False, application="tests")
    with database.session(writes=True) as session:
        for statement in statements:
            session.execute(statement)

    upgrade_schema(database, seller="velvet")

    with database.session(writes=True) as session:
        new = {"listing_id": "72", "release_id": "7", "price_value": 1}
        assert session.insert("listings", seller="velvet", **new) == 8
