"""What Postgres must allow is asked before a run begins, and what gives it is named."""

from urllib.parse import urlsplit

import pytest

from discosync.database.connection.engine import Database, open_database
from discosync.database.schema.migrating import upgrade_schema
from discosync.database.schema.rights import require_rights
from discosync.database.schema.state import SchemaState, load_state
from discosync.errors import DiscosyncError, NotReady, StorageFailed
from tests.support.postgres import Postgres

ROLE = "shopkeeper"


def _name(url: str) -> str:
    return urlsplit(url).path[1:]


@pytest.fixture
def url(postgres: Postgres) -> str:
    """A database of another role; ours may connect to it, and no more."""
    postgres.execute(
        f"DO $$ BEGIN CREATE ROLE {ROLE} LOGIN; EXCEPTION WHEN duplicate_object THEN END $$"
    )
    url = postgres.create_database()
    postgres.execute("REVOKE CREATE ON SCHEMA public FROM public", _name(url))
    postgres.execute(f"REVOKE TEMPORARY ON DATABASE {_name(url)} FROM public")
    return url


def _opened(url: str, role: str = ROLE) -> Database:
    url = url.replace("//discosync@", f"//{role}@")
    return open_database(url, read_only=False, application="tests")


def _require(database: Database, *, writes: bool = True) -> None:
    require_rights(database, load_state(database), writes=writes)


def _statements(error: DiscosyncError) -> list[str]:
    return error.hint.split("`")[1::2]


def test_statements_that_are_named_are_what_is_lacking(postgres: Postgres, url: str) -> None:
    """Typed by the owner, they let an empty database be filled, and then another's be written."""
    with pytest.raises(StorageFailed, match="CREATE in the schema public, TEMPORARY") as empty:
        _require(_opened(url))
    for statement in _statements(empty.value):
        postgres.execute(statement, _name(url))
    _require(_opened(url))

    upgrade_schema(_opened(url, "discosync"))
    with pytest.raises(StorageFailed, match="lacks rights"):
        _require(_opened(url))
    postgres.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {ROLE}", _name(url))
    with pytest.raises(StorageFailed, match="UPDATE on listings") as filled:
        _require(_opened(url))
    assert filled.value.code == "no_right"
    for statement in _statements(filled.value):
        postgres.execute(statement, _name(url))
    _require(_opened(url))


def test_who_only_reads_needs_no_right_to_write(postgres: Postgres, url: str) -> None:
    """A dry run takes a role that may read; one that may read all but one table may not write."""
    upgrade_schema(_opened(url, "discosync"))
    postgres.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {ROLE}", _name(url))

    _require(_opened(url), writes=False)


def test_right_to_delete_is_not_asked_of_listings(postgres: Postgres, url: str) -> None:
    """No sync deletes a listing: a shop may keep that right to itself."""
    upgrade_schema(_opened(url, "discosync"))
    for statement in (
        f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {ROLE}",
        f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {ROLE}",
        f"GRANT TEMPORARY ON DATABASE {_name(url)} TO {ROLE}",
        f"REVOKE DELETE ON listings, listing_changes FROM {ROLE}",
    ):
        postgres.execute(statement, _name(url))

    _require(_opened(url))


def test_database_without_utf8_is_refused(postgres: Postgres) -> None:
    """A title has letters that LATIN1 has not: the way out is another database."""
    postgres.execute("DROP DATABASE IF EXISTS narrow")
    postgres.execute(
        "CREATE DATABASE narrow TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'"
    )
    database = _opened(postgres.url("narrow"), "discosync")
    for opening in (lambda: _require(database, writes=False), lambda: upgrade_schema(database)):
        with pytest.raises(NotReady, match="LATIN1") as told:
            opening()
        assert "ENCODING 'UTF8' TEMPLATE template0" in told.value.hint
    assert load_state(database) is SchemaState.EMPTY


def test_right_that_lacks_later_names_its_statement(postgres: Postgres, url: str) -> None:
    """Whatever command meets it: 16, and what the owner types."""
    upgrade_schema(_opened(url, "discosync"))
    database = _opened(url)
    cases = {
        "SELECT * FROM listings": "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES",
        "CREATE TEMP TABLE x (y integer)": f"GRANT TEMPORARY ON DATABASE {_name(url)} TO {ROLE}",
        "CREATE TABLE x (y integer)": f"GRANT USAGE, CREATE ON SCHEMA public TO {ROLE}",
        "ALTER TABLE listings ADD x integer": f"ALTER TABLE listings OWNER TO {ROLE}",
        "DROP VIEW active_listings": f"ALTER VIEW active_listings OWNER TO {ROLE}",
    }
    for statement, typed in cases.items():
        with pytest.raises(StorageFailed) as told, database.session(writes=True) as session:
            session.execute(statement)
        assert told.value.code == "no_right", statement
        assert typed in told.value.hint, statement
