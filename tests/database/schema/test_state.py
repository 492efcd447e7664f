"""How a database's schema compares with ours, and which databases are refused."""

import pytest

from discosync.database.connection.engine import Database, open_database
from discosync.database.schema.state import (
    SchemaState,
    known_revisions,
    load_has_versions,
    load_revision,
    load_state,
    refuse_newer,
    require_usable,
)
from discosync.errors import NotReady


@pytest.fixture
def empty(database_url: str) -> Database:
    """A database without any table."""
    return open_database(database_url, read_only=False, application="tests")


def _set_revision(database: Database, revision: str) -> None:
    with database.session(writes=True) as session:
        session.execute("UPDATE alembic_version SET version_num = :revision", revision=revision)


def test_database_without_tables_is_empty(empty: Database) -> None:
    """A file that is not there counts as empty, too, and is not made by looking."""
    assert require_usable(empty) is SchemaState.EMPTY
    assert (load_revision(empty), load_has_versions(empty)) == (None, False)
    assert empty.path is None or not empty.path.exists()


def test_listings_without_a_revision_are_an_old_shops(empty: Database) -> None:
    """They are adopted by `db upgrade`, and by nothing else."""
    with empty.session(writes=True) as session:
        session.execute("CREATE TABLE listings (id INTEGER)")

    assert load_state(empty) is SchemaState.OLD_SHOP
    with pytest.raises(NotReady, match="did not make") as told:
        require_usable(empty)
    assert told.value.code == "schema_foreign"


@pytest.mark.parametrize(
    ("revision", "state", "code"),
    [
        (known_revisions()[-2], SchemaState.OUTDATED, "schema_behind"),
        ("9999", SchemaState.NEWER, "schema_ahead"),
    ],
)
def test_other_revisions_are_refused(
    filled: Database, revision: str, state: SchemaState, code: str
) -> None:
    """One of ours that is behind wants an upgrade; one that is unknown wants a newer discosync."""
    assert require_usable(filled) is SchemaState.CURRENT
    refuse_newer(filled)
    _set_revision(filled, revision)

    assert load_state(filled) is state
    with pytest.raises(NotReady) as told:
        require_usable(filled)
    assert told.value.code == code
