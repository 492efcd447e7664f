"""A database made from the tables is the one that the migrations make."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from discosync.database.connection.engine import Database, open_database
from discosync.database.schema.making import make_new
from discosync.database.schema.migrating import downgrade_schema, upgrade_schema, walk_migrations
from discosync.database.schema.state import SchemaState, load_state
from discosync.database.schema.tables import metadata
from discosync.errors import MigrationFailed
from tests.support.postgres import Postgres, find_binaries

_LOOKED_AT = {
    "sqlite": (
        "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name",
        (
            "SELECT t.name, c.* FROM sqlite_master t, pragma_table_xinfo(t.name) c "
            "WHERE t.type IN ('table', 'view') ORDER BY t.name, c.cid"
        ),
    ),
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
        addresses = [f"sqlite:///{tmp_path / name}" for name in ("made.db", "walked.db")]
    else:
        server: Postgres = request.getfixturevalue("postgres")
        addresses = [server.create_database() for _ in range(2)]
    first, second = (
        open_database(address, read_only=False, application="tests") for address in addresses
    )
    return first, second


def _look_at(database: Database) -> list[list[Any]]:
    with database.session() as session:
        queries = _LOOKED_AT["sqlite" if session.is_sqlite else "postgresql"]
        return [[tuple(map(_plain, row)) for row in session.execute(query)] for query in queries]


def _plain(value: object) -> object:
    """Write a definition without SQLAlchemy's line ends: `ADD COLUMN` has none."""
    return re.sub(r"\s+", " ", value) if isinstance(value, str) else value


def _dump(database: Database) -> list[str]:
    """Give what `pg_dump` says, without the word that it makes up anew each time."""
    address = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    command = [str(find_binaries() / "pg_dump"), "--schema-only", address]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [line for line in done.stdout.splitlines() if "restrict " not in line]


def test_database_made_from_the_tables_is_what_the_migrations_make(
    both: tuple[Database, Database],
) -> None:
    """Columns and their order, types, defaults, named keys, indexes, view, triggers are the same.

    When this fails, a migration and `tables.py` or `view_and_triggers.py` say different things.
    """
    made, walked = both
    assert make_new(made)
    walk_migrations(walked)

    for of_made, of_walked in zip(_look_at(made), _look_at(walked), strict=True):
        assert of_made == of_walked
    assert load_state(made) is load_state(walked) is SchemaState.CURRENT


@pytest.mark.skipif(
    not (find_binaries() / "pg_dump").exists(), reason="this Postgres comes without pg_dump"
)
def test_pg_dump_sees_no_difference(postgres: Postgres) -> None:
    """Postgres' own description of both is the same, line by line."""
    made, walked = (
        open_database(postgres.create_database(), read_only=False, application="tests")
        for _ in range(2)
    )
    make_new(made)
    walk_migrations(walked)

    assert _dump(made) == _dump(walked)


def test_no_migration_leaves_a_row(both: tuple[Database, Database]) -> None:
    """A new database holds no row but its revision: a migration that adds some breaks that."""
    _, walked = both
    walk_migrations(walked)
    with walked.alchemy_session() as session:
        tables = session.alchemy.dialect.get_table_names(session.alchemy)
        counts = {name: session.value(f"SELECT count(*) FROM {name}") for name in tables}

    assert {name: count for name, count in counts.items() if count} == {"alembic_version": 1}


def test_schema_comes_back_after_base(both: tuple[Database, Database]) -> None:
    """A downgrade to `base` leaves Alembic's table: then the migrations are walked again."""
    database, other = both
    upgrade_schema(database)
    downgrade_schema(database, "base")
    assert not make_new(database)
    upgrade_schema(database)
    walk_migrations(other)

    assert _look_at(database) == _look_at(other)


@pytest.mark.parametrize("name", ["flag_events", "active_listings"])
def test_table_or_view_in_the_way_stops_making(both: tuple[Database, Database], name: str) -> None:
    """A table of another program is not taken for ours, and nothing is left of what was begun."""
    database, _ = both
    with database.alchemy_session(writes=True) as session:
        session.execute(f"CREATE TABLE {name} (word TEXT)")

    with pytest.raises(MigrationFailed, match=name):
        make_new(database)

    with database.alchemy_session() as session:
        assert session.alchemy.dialect.get_table_names(session.alchemy) == [name]


def test_metadata_has_no_cascade() -> None:
    """Nothing may take history away with it: no foreign key deletes on cascade."""
    for table in metadata.tables.values():
        for key in table.foreign_keys:
            assert key.ondelete is None
