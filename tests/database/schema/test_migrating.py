"""Migrations: one change a file, up and down with data in them, equal to the tables."""

import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from discosync.database.connection.engine import Database, open_database
from discosync.database.schema.migrating import upgrade_schema
from discosync.database.schema.state import known_revisions, migrations_dir
from discosync.database.schema.tables import metadata
from discosync.errors import MigrationFailed


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty database."""
    database = open_database(database_url, read_only=False, application="tests")
    yield database
    database.engine.dispose()


def _migrate(database: Database, direction: str, target: str) -> None:
    with database.migrating() as session:
        config = Config()
        config.set_main_option("script_location", str(migrations_dir()))
        config.attributes["connection"] = session.alchemy
        getattr(command, direction)(config, target)


def test_migrations_equal_the_tables(database: Database) -> None:
    """What the migrations make is what the code believes, types and indexes included."""
    upgrade_schema(database)
    with database.alchemy_session() as session:
        context = MigrationContext.configure(
            session.alchemy, opts={"compare_type": True, "compare_server_default": False}
        )
        assert compare_metadata(context, metadata) == []


def test_known_revisions_are_alembics() -> None:
    """The list that an hourly run reads from file names is the one that Alembic follows."""
    script = ScriptDirectory(str(migrations_dir()))
    walked = [revision.revision for revision in script.walk_revisions()]
    assert list(known_revisions()) == walked[::-1]


def test_every_step_goes_up_and_down_with_a_row_in_it(database: Database) -> None:
    """Each migration is reversible by itself, and the row comes through unharmed."""
    _migrate(database, "upgrade", "0001")
    with database.alchemy_session(writes=True) as session:
        session.execute(
            "INSERT INTO listings (listing_id, status, price_value, comments, release_title) "
            "VALUES ('77', 'For Sale', 12.99, 'it''s fine', 'Tides')"
        )
    for revision in known_revisions()[1:]:
        _migrate(database, "upgrade", revision)
        _migrate(database, "downgrade", "-1")
        _migrate(database, "upgrade", revision)
    _migrate(database, "downgrade", "0001")
    with database.alchemy_session() as session:
        row = session.alchemy.execute(text("SELECT * FROM listings")).mappings().one()

    assert (row["listing_id"], float(row["price_value"])) == ("77", 12.99)
    assert (row["comments"], row["release_title"]) == ("it's fine", "Tides")


def test_failing_upgrade_leaves_no_half_a_schema(database: Database) -> None:
    """A migration that fails in the middle takes the ones before it back as well."""
    with database.alchemy_session(writes=True) as session:
        session.execute("CREATE TABLE sync_runs (id INTEGER PRIMARY KEY)")

    with pytest.raises(MigrationFailed, match="sync_runs"):
        upgrade_schema(database)

    with database.alchemy_session() as session:
        tables = set(session.alchemy.dialect.get_table_names(session.alchemy))
    assert tables == {"sync_runs"}


def test_rebuilding_a_table_takes_no_children_away(database: Database) -> None:
    """Alembic's batch mode drops and makes the table anew: cascades must sleep meanwhile."""
    from alembic.operations import Operations  # noqa: PLC0415

    with database.alchemy_session(writes=True) as session:
        session.execute("CREATE TABLE parents (id INTEGER PRIMARY KEY, name TEXT)")
        session.execute(
            "CREATE TABLE children (id INTEGER PRIMARY KEY, "
            "parent_id INTEGER REFERENCES parents (id) ON DELETE CASCADE)"
        )
        session.execute("INSERT INTO parents VALUES (1, 'a'), (2, 'b')")
        session.execute("INSERT INTO children VALUES (1, 1), (2, 1), (3, 2)")

    with database.migrating() as session:
        operations = Operations(MigrationContext.configure(session.alchemy))
        with operations.batch_alter_table("parents", recreate="auto") as batch:
            batch.alter_column("name", nullable=False, existing_type=sa.Text())

    with database.alchemy_session() as session:
        assert session.value("SELECT count(*) FROM children") == 3


def test_each_migration_is_named_after_its_one_change() -> None:
    """A file's name says which change it makes, and each can be undone."""
    for path in sorted((migrations_dir() / "versions").glob("[0-9]*.py")):
        assert re.fullmatch(r"\d{4}_(create|add|make|widen)_[a-z_]+", path.stem), path
        source = path.read_text()
        assert "def downgrade() -> None:" in source
        assert "CASCADE" not in source.upper().replace("NO CASCADE", "")


@pytest.mark.parametrize("column", ["price_value", "comments", "release_year"])
def test_migration_that_harms_a_value_is_stopped(
    database: Database, monkeypatch: pytest.MonkeyPatch, column: str
) -> None:
    """Every old value is compared before the commit; one that changed undoes the migration."""
    _migrate(database, "upgrade", "0011")
    with database.alchemy_session(writes=True) as session:
        session.execute(
            "INSERT INTO listings (listing_id, seller, price_value, comments, release_year) "
            "VALUES ('77', 'velvet', 12.99, 'fine', 1984)"
        )
    upgrade = command.upgrade

    def harm(config: Config, target: str) -> None:
        upgrade(config, target)
        config.attributes["connection"].execute(text(f"UPDATE listings SET {column} = NULL"))

    monkeypatch.setattr("alembic.command.upgrade", harm)
    with pytest.raises(MigrationFailed, match=f"{column} would differ in 1 listings"):
        upgrade_schema(database)
    with database.alchemy_session() as session:
        assert session.value(f"SELECT {column} FROM listings") is not None
        assert session.value("SELECT version_num FROM alembic_version") == "0011"


def test_migration_that_loses_a_row_is_stopped(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every table's rows are counted before the commit; a missing one undoes the migration."""
    _migrate(database, "upgrade", "0011")
    with database.alchemy_session(writes=True) as session:
        session.execute("INSERT INTO listings (listing_id, seller) VALUES ('77', 'v')")
    upgrade = command.upgrade

    def harm(config: Config, target: str) -> None:
        upgrade(config, target)
        config.attributes["connection"].execute(text("DELETE FROM listings"))

    monkeypatch.setattr("alembic.command.upgrade", harm)
    with pytest.raises(MigrationFailed, match="listings had 1 rows and would have 0"):
        upgrade_schema(database)
