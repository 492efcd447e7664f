"""Which of a shop's own columns can hold our values, and so stay where they are."""

import pytest

from discosync.database.connection.engine import open_database
from discosync.database.schema.own_columns import find_own_columns
from tests.support.postgres import Postgres

STAYS_ON_SQLITE = {
    "content_hash TEXT": True,
    "content_hash CHAR(32)": True,
    "content_hash TEXT UNIQUE": False,
    "content_hash NUMERIC": False,
    "is_active BOOLEAN": True,
    "is_active INTEGER CHECK (is_active IN (0, 1))": True,
    "is_active VARCHAR(1)": False,
    "is_active INT GENERATED ALWAYS AS (id > 1) VIRTUAL": False,
    "removed_at DATETIME": True,
    "sold_at INTEGER": False,
    "removal_reason TEXT CHECK (removal_reason IN ('gone'))": False,
    "quantity": True,
    "quantity REAL": False,
    "seller TEXT": False,
    "artist_id VARCHAR(36)": False,
}
STAYS_ON_POSTGRES = {
    "content_hash VARCHAR(64)": True,
    "content_hash VARCHAR(40)": False,
    "content_hash CHAR(64)": False,
    "content_hash TEXT UNIQUE": False,
    "is_active BOOLEAN": True,
    "is_active SMALLINT": False,
    "removed_at TIMESTAMP": True,
    "removed_at TIMESTAMPTZ": False,
    "sold_at TEXT": False,
    "removal_reason VARCHAR(20)": True,
    "removal_reason TEXT CHECK (removal_reason <> 'draft')": False,
    "quantity BIGINT": True,
    "quantity NUMERIC": False,
    "seller TEXT": False,
    "label_id UUID": False,
}


@pytest.mark.parametrize("on", ["sqlite", "postgres"])
def test_a_column_stays_that_can_hold_our_values(
    on: str, sqlite_url: str, postgres: Postgres
) -> None:
    """By its type, and when no check, uniqueness or formula of the shop's restricts it."""
    url = sqlite_url if on == "sqlite" else postgres.create_database()
    database = open_database(url, read_only=False, application="tests")
    expected = STAYS_ON_SQLITE if on == "sqlite" else STAYS_ON_POSTGRES
    found = {}
    with database.alchemy_session(writes=True) as session:
        for column in expected:
            session.execute(f"CREATE TABLE listings (id INTEGER PRIMARY KEY, mine TEXT, {column})")
            (own,) = find_own_columns(session)
            found[column] = own.stays
            session.execute("DROP TABLE listings")
    assert found == expected
