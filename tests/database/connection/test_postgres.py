"""A transaction on Postgres waits for locks a bounded time, and leaves nothing behind."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from discosync.database.connection import postgres as postgres_connections
from discosync.database.connection.engine import Database, open_database
from discosync.errors import StorageFailed
from tests.support.pooler import own_pooler, url_through
from tests.support.postgres import Postgres

Opening = Callable[[Database], AbstractContextManager[Any]]
WAYS: dict[str, tuple[Opening, str]] = {
    "reading": (lambda database: database.session(), "30s"),
    "writing": (lambda database: database.session(writes=True), "30s"),
    "alchemy reading": (lambda database: database.alchemy_session(), "30s"),
    "alchemy writing": (lambda database: database.alchemy_session(writes=True), "30s"),
    "migrating": (lambda database: database.migrating(), "10s"),
}


@pytest.fixture
def database(postgres: Postgres) -> Database:
    """An empty database on a server that has no limit of its own."""
    return open_database(postgres.create_database(), read_only=False, application="tests")


@pytest.mark.parametrize(("opening", "bound"), WAYS.values(), ids=WAYS)
def test_waiting_for_locks_is_bounded_in_this_transaction_alone(
    database: Database, opening: Opening, bound: str
) -> None:
    """A server's own limit counts before ours; another transaction on the connection sees none."""
    with opening(database) as session:
        assert session.value("SHOW lock_timeout") == bound
        name = session.value("SELECT current_database()")
        session.driver.execute("ROLLBACK")
        assert session.value("SHOW lock_timeout") == "0"
        session.driver.rollback()
        session.driver.execute("SELECT 1")
    with database.session(writes=True) as session:
        session.execute(f"ALTER DATABASE {name} SET lock_timeout = '7s'")
    with opening(database) as session:
        assert session.value("SHOW lock_timeout") == "7s"


def test_transaction_that_cannot_begin_is_not_waited_for(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader behind a pool that is used up ends, too; it cannot know why."""
    monkeypatch.setattr(postgres_connections, "_ANSWER_SECONDS", 0.5)
    url = postgres.create_database()
    with own_pooler(postgres, 1) as directory:
        database = open_database(url_through(directory, url), read_only=True, application="tests")
        with (
            database.session(),
            pytest.raises(StorageFailed, match="no answer"),
            database.session(),
        ):
            pass


def test_pooler_is_told_from_a_server(postgres: Postgres) -> None:
    """Two connections of ours are two of the server's, unless somebody shares them out."""
    url = postgres.create_database()
    shares = postgres_connections.shares_between_transactions
    assert not shares(open_database(url, read_only=True, application="tests").address)
    with own_pooler(postgres, 3) as directory:
        through = url_through(directory, url)
        assert shares(open_database(through, read_only=True, application="tests").address)
