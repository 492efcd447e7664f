"""Plain SQL on the driver's own connection means the same on both databases."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import text

from discosync.database.connection.engine import Database, open_database
from discosync.database.connection.session import Session
from discosync.database.connection.values import read_moment
from discosync.errors import StorageFailed
from tests.support.postgres import Postgres

NOON = datetime(2026, 3, 2, 12, 0, 0, 5, tzinfo=UTC)


@pytest.fixture
def database(database_url: str) -> Database:
    """A database with one empty table."""
    database = open_database(database_url, read_only=False, application="test")
    with database.session(writes=True) as session:
        kind = "INTEGER" if session.is_sqlite else "SERIAL"
        session.execute(f"CREATE TABLE notes (id {kind} PRIMARY KEY, word TEXT, at TIMESTAMP)")
    return database


def _write(database: Database, word: str, then: Callable[[Session], object]) -> None:
    with database.session(writes=True) as session:
        session.insert("notes", word=word)
        then(session)


def _interrupt(_session: Session) -> None:
    raise KeyboardInterrupt


def _count(database: Database) -> int:
    with database.session() as session:
        return int(session.value("SELECT count(*) FROM notes"))


def test_values_come_back_as_they_went(database: Database) -> None:
    """Texts with colons, percent signs and quotes, moments of any zone: none is read as SQL."""
    words = ["a:b", ":word", "100 % 'sure'", "%s %(word)s", "::text", None]
    zone = timezone(timedelta(hours=-7))
    with database.session(writes=True) as session:
        keys = [
            session.insert("notes", word=word, at=session.moment(NOON.astimezone(zone)))
            for word in words
        ]
    assert keys == sorted(set(keys))
    with database.session() as session:
        rows = session.execute("SELECT word, at FROM notes ORDER BY id").fetchall()
        found = session.value(
            "SELECT count(*) FROM notes WHERE word LIKE '%:%' AND id > :id1", id1=0
        )
        some = session.execute(
            f"SELECT word FROM notes WHERE {session.is_in('word', 'words')}",
            words=session.one_of(["a:b", "nothing", "100 % 'sure'"]),
        ).fetchall()
    assert [row[0] for row in rows] == words
    assert {read_moment(row[1]) for row in rows} == {NOON}
    assert (found, sorted(row[0] for row in some)) == (3, ["100 % 'sure'", "a:b"])


def test_transaction_is_all_or_nothing(database: Database) -> None:
    """What fails in the middle, whoever fails, leaves nothing; a reader writes nothing."""
    with pytest.raises(KeyboardInterrupt):
        _write(database, "lost", _interrupt)
    with pytest.raises(StorageFailed):
        _write(database, "lost", lambda session: session.execute("SELECT nonsense FROM notes"))
    with database.session() as session:
        session.insert("notes", word="lost")
    assert _count(database) == 0


def test_failed_transaction_is_not_called_committed(postgres: Postgres) -> None:
    """Postgres answers the COMMIT of a failed transaction without an error: we do not."""
    database = open_database(postgres.create_database(), read_only=False, application="test")

    def ask_and_go_on(session: Session) -> None:
        with suppress(database.driver_error):
            session.execute("SELECT nonsense")

    with database.session(writes=True) as session:
        session.execute("CREATE TABLE notes (id SERIAL, word TEXT)")
    with pytest.raises(StorageFailed, match="had failed"):
        _write(database, "lost", ask_and_go_on)
    assert _count(database) == 0


def test_one_view_however_many_questions(database: Database) -> None:
    """What is committed while a session reads is not seen by it."""
    with database.session(writes=True) as session:
        session.insert("notes", word="first")
    with database.session() as reader:
        assert reader.value("SELECT count(*) FROM notes") == 1
        with database.session(writes=True) as writer:
            writer.insert("notes", word="second")
        assert reader.value("SELECT count(*) FROM notes") == 1


def test_kept_connection_that_is_lost_is_made_anew(postgres: Postgres) -> None:
    """Sessions share one connection; when the server ends it in between, nobody notices."""
    database = open_database(postgres.create_database(), read_only=False, application="test")
    ask = "SELECT pg_backend_pid()"
    with database.keeping_connection():
        with database.session() as session:
            first = session.value(ask)
        with database.session(writes=True) as session:
            assert session.value(ask) == first
        with open_database(database.address.text, read_only=False, application="other").session(
            writes=True
        ) as other:
            assert other.value("SELECT pg_terminate_backend(:pid)", pid=first)
        with database.session() as session:
            assert session.value(ask) != first
    with database.session() as session:
        found = session.value("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid", pid=first)
    assert found == 0


def test_sqlalchemy_and_plain_sql_share_a_transaction(database: Database) -> None:
    """What goes by SQLAlchemy and what goes past it is committed together, or not at all."""
    with database.alchemy_session(writes=True) as session:
        session.insert("notes", word="one")
        session.alchemy.execute(text("INSERT INTO notes (word) VALUES ('two')"))
    with suppress(ZeroDivisionError), database.alchemy_session(writes=True) as session:
        session.insert("notes", word="three")
        session.alchemy.execute(text("INSERT INTO notes (word) VALUES ('four')"))
        _ = 1 / 0
    with database.alchemy_session() as session:
        assert session.value("SELECT count(*) FROM notes") == 2


def test_session_needs_no_sqlalchemy(tmp_path: Path) -> None:
    """Opening, reading and writing import neither SQLAlchemy nor what it brings."""
    program = (
        "import sys\n"
        "from discosync.database.connection.engine import open_database\n"
        f"database = open_database('sqlite:///{tmp_path}/x.db', read_only=False, application='t')\n"
        "with database.session(writes=True) as session:\n"
        "    session.execute('CREATE TABLE notes (id INTEGER)')\n"
        "print([name for name in sys.modules if name.startswith('sqlalchemy')])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )  # fmt: skip
    assert done.stdout == "[]\n"
