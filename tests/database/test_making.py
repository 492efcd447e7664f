"""The schema made in one go is the one that the migrations make, to the last character."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from discosync.database.connection.engine import Database, open_database
from discosync.database.schema import making
from discosync.database.schema.migrating import downgrade_schema, upgrade_schema, walk_migrations
from discosync.database.schema.state import SchemaState, known_revisions, load_state
from tests.support.finished_schema import render_schema
from tests.support.postgres import Postgres, find_binaries

_REMADE_BY = "write it anew: python -m tests.support.finished_schema"
_NEWEST = known_revisions()[-1]

# What the rendered statements do not tell, or tell in their own words.
_LOOKED_AT = {
    "sqlite": ("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY rowid",),
    "postgresql": (
        (
            "SELECT to_jsonb(c) - 'table_catalog' - 'udt_catalog' "
            "FROM information_schema.columns c WHERE table_schema = 'public' "
            "ORDER BY table_name, ordinal_position"
        ),
        (
            "SELECT indexname, indexdef, tablespace FROM pg_indexes WHERE schemaname = 'public' "
            "ORDER BY 1"
        ),
        (
            "SELECT conname, contype, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2"
        ),
        (
            "SELECT sequencename, data_type, start_value, min_value, max_value, increment_by, "
            "cycle, last_value FROM pg_sequences ORDER BY 1"
        ),
        "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public' ORDER BY 1",
        (
            "SELECT relname, relkind, relpersistence, reloptions FROM pg_class "
            "WHERE relnamespace = 'public'::regnamespace ORDER BY 1"
        ),
        (
            "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace "
            "ORDER BY 1"
        ),
        "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1",
    ),
}


@pytest.fixture(params=["sqlite", "postgres"])
def both(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Database, Database]:
    """Two empty databases of a kind."""
    if request.param == "sqlite":
        addresses = [f"sqlite:///{tmp_path / name}" for name in ("at_once.db", "walked.db")]
    else:
        server: Postgres = request.getfixturevalue("postgres")
        addresses = [server.create_database() for _ in range(2)]
    first, second = (
        open_database(address, read_only=False, application="tests") for address in addresses
    )
    return first, second


def _look_at(database: Database) -> list[list[Any]]:
    with database.reading() as connection:
        queries = _LOOKED_AT[connection.dialect.name]
        return [
            [tuple(row) for row in connection.exec_driver_sql(query.replace("%", "%%"))]
            for query in queries
        ]


def _render(database: Database) -> str:
    with database.reading() as connection:
        return render_schema(connection)


def _dump(database: Database) -> list[str]:
    """Give what `pg_dump` says, without the word that it makes up anew each time."""
    address = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    command = [str(find_binaries() / "pg_dump"), "--schema-only", address]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [line for line in done.stdout.splitlines() if "restrict " not in line]


def test_newest_revision_is_ready_made() -> None:
    """There is one file for each kind of database, of the newest revision and no other."""
    expected = {making.path_of(_NEWEST, is_sqlite=is_sqlite) for is_sqlite in (True, False)}

    assert set(making.FILES.glob("*.sql")) == expected, _REMADE_BY


def test_schema_made_at_once_is_what_the_migrations_make(both: tuple[Database, Database]) -> None:
    """Tables, columns, keys, indexes, views, triggers and their names and order are the same."""
    at_once, walked = both
    assert making.make_new(at_once)
    walk_migrations(walked)

    assert _render(at_once) == _render(walked), _REMADE_BY
    assert _look_at(at_once) == _look_at(walked), _REMADE_BY
    assert load_state(at_once) is load_state(walked) is SchemaState.CURRENT


@pytest.mark.skipif(
    not (find_binaries() / "pg_dump").exists(), reason="this Postgres comes without pg_dump"
)
def test_pg_dump_sees_no_difference(postgres: Postgres) -> None:
    """Postgres' own description of both is the same, line by line."""
    at_once, walked = (
        open_database(postgres.create_database(), read_only=False, application="tests")
        for _ in range(2)
    )
    assert making.make_new(at_once)
    walk_migrations(walked)

    assert _dump(at_once) == _dump(walked), _REMADE_BY


def test_no_migration_leaves_a_row(both: tuple[Database, Database]) -> None:
    """What is ready made holds no rows but the revision: a migration that adds some must too."""
    _, walked = both
    walk_migrations(walked)
    with walked.reading() as connection:
        tables = connection.dialect.get_table_names(connection)
        counts = {
            name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()
            for name in tables
        }

    assert {name: count for name, count in counts.items() if count} == {"alembic_version": 1}


def test_unknown_revision_is_not_made_at_once(both: tuple[Database, Database]) -> None:
    """With nothing ready made for the newest revision the migrations have to do it."""
    database, _ = both

    with database.session(writes=True) as session:
        cursor = session.cursor()
        assert not making.make_at_once(cursor, revision="9999", is_sqlite=session.is_sqlite)
    assert load_state(database) is SchemaState.EMPTY


def test_schema_comes_back_after_base(both: tuple[Database, Database]) -> None:
    """A downgrade to `base` leaves Alembic's table: then the migrations are walked again."""
    database, other = both
    upgrade_schema(database)
    downgrade_schema(database, "base")
    assert not making.make_new(database)
    upgrade_schema(database)
    walk_migrations(other)

    assert _render(database) == _render(other)
