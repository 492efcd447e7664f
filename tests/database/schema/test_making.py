"""A new schema is made as a whole in an empty database, or not at all."""

import pytest

from discosync.database.connection.engine import Database, open_database
from discosync.database.schema.making import make_new
from discosync.database.schema.state import known_revisions, load_has_versions, load_revision
from discosync.errors import MigrationFailed


@pytest.fixture
def empty(database_url: str) -> Database:
    """A database without any table."""
    return open_database(database_url, read_only=False, application="tests")


def test_new_schema_is_of_the_newest_revision(empty: Database) -> None:
    """It is not made a second time."""
    assert make_new(empty)
    assert load_revision(empty) == known_revisions()[-1]
    assert not make_new(empty)


def test_table_that_is_in_the_way_is_not_taken_for_ours(empty: Database) -> None:
    """Nothing is left of the tables that were made before it."""
    with empty.session(writes=True) as session:
        session.execute("CREATE TABLE sync_runs (mine INTEGER)")

    with pytest.raises(MigrationFailed):
        make_new(empty)

    assert not load_has_versions(empty)
    with empty.session() as session:
        assert not session.has_table("listings")
        assert session.value("SELECT count(mine) FROM sync_runs") == 0
