"""Writing many rows: every text as it is, and a table that is the same after a first load."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from discosync.database.connection.bulk import Assignments, bulk_writer
from discosync.database.connection.engine import Database, open_database
from discosync.database.connection.session import Session
from discosync.database.schema.migrating import upgrade_schema
from discosync.errors import StorageFailed
from tests.support.postgres import Postgres

_HOSTILE = (
    "\\N",
    "\\\\N",
    "\\.",
    "",
    " ",
    "NULL",
    'a "quoted" word',
    "tab\there",
    "line\nfeed",
    "carriage\r\nreturn",
    "\\t is no tab",
    "ends with a backslash\\",
    "\x07 bell, \x1f unit, \x7f delete",
    "Sigur Rós – ( ) 💿",
    "{braces}, commas, ; semicolons",
    "x" * 100_000,
)
_COLUMNS = ("seller", "listing_id", "comments", "price_value", "posted", "is_active", "quantity")
_AT = datetime(2026, 3, 1, 12, 30, 15, 42, tzinfo=timezone(timedelta(hours=2)))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database with its schema."""
    database = open_database(database_url, read_only=False, application="tests")
    upgrade_schema(database)
    yield database
    database.engine.dispose()


@pytest.fixture
def postgres_database(postgres: Postgres) -> Iterator[Database]:
    """A Postgres database with its schema."""
    database = open_database(postgres.create_database(), read_only=False, application="tests")
    upgrade_schema(database)
    yield database
    database.engine.dispose()


def _rows(writer: Any, texts: tuple[str | None, ...]) -> Iterator[tuple[Any, ...]]:
    price, posted = writer.number(Decimal("12.90")), writer.moment(_AT)
    for number, comments in enumerate(texts):
        yield ("velvet", str(number), comments, price, posted, number % 2 == 0, number)


def _insert(database: Database, *texts: str | None) -> int:
    with database.session(writes=True) as session:
        writer = bulk_writer(session)
        return writer.insert("listings", _COLUMNS, _rows(writer, texts))


def _comments(database: Database) -> list[str | None]:
    with database.session() as session:
        found = session.execute("SELECT comments FROM listings ORDER BY quantity")
        return [comments for (comments,) in found]


def test_any_text_is_inserted_as_it_is(database: Database) -> None:
    """What looks like a NULL, an escape or an end of the data is text, and NULL is NULL."""
    texts = (*_HOSTILE, None)

    assert _insert(database, *texts) == len(texts)
    assert _comments(database) == list(texts)


@pytest.mark.parametrize("count", [0, 9_999, 10_000, 20_001])
def test_every_row_of_many_arrives(database: Database, count: int) -> None:
    """However many rows a generator gives, each is written once, and they are counted."""
    with database.session(writes=True) as session:
        rows = (("velvet", str(number)) for number in range(count))
        written = bulk_writer(session).insert("listings", ("seller", "listing_id"), rows)
        found = session.execute("SELECT count(DISTINCT listing_id) FROM listings")

        assert (written, found.fetchone()[0]) == (count, count)


def test_any_text_is_updated_as_it_is(database: Database) -> None:
    """An update takes the same values as an insert, and finds a row by a key that is NULL."""
    texts = (*_HOSTILE, None)
    with database.session(writes=True) as session:
        writer = bulk_writer(session)
        writer.insert("listings", _COLUMNS, _rows(writer, ("before",) * len(texts)))
        assignments = Assignments(
            set_columns=("comments",), keys=("listing_id",), nullable_keys=("content_hash",)
        )
        rows = ((comments, str(number), None) for number, comments in enumerate(texts))
        assert writer.update("listings", assignments, rows) == len(texts)

    assert _comments(database) == list(texts)


def test_moments_amounts_and_flags_keep_their_value(database: Database) -> None:
    """A moment is held in UTC to the microsecond, an amount to the cent, 1 as a true flag."""
    with database.session(writes=True) as session:
        writer = bulk_writer(session)
        writer.insert("listings", _COLUMNS, _rows(writer, ("fine",)))
        columns = ("seller", "listing_id", "price_value", "posted", "is_active")
        empty = ("velvet", "2", writer.number(None), writer.moment(None), False)
        as_number = ("velvet", "3", writer.number(None), writer.moment(None), 1)
        writer.insert("listings", columns, [empty, as_number])
    with database.session() as session:
        shown = "price_value, posted, is_active"
        statement = f"SELECT {shown} FROM listings ORDER BY listing_id"
        rows = session.execute(statement).fetchall()

    (price, posted, _), empty_row, _ = rows
    assert str(Decimal(str(price)).quantize(Decimal("0.01"))) == "12.90"
    assert str(posted) == "2026-03-01 10:30:15.000042"
    assert [bool(is_active) for *_, is_active in rows] == [True, False, True]
    assert tuple(empty_row[:2]) == (None, None)


def test_text_with_a_nul_is_refused_by_postgres(postgres_database: Database) -> None:
    """Postgres holds no NUL in a text: that is an error, and never a text cut short."""
    with pytest.raises(StorageFailed):
        _insert(postgres_database, "cut\0here")

    assert _comments(postgres_database) == []


_DEFINITIONS = (
    "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'listings' "
    "UNION ALL SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE 'listings'::regclass IN (conrelid, confrelid) ORDER BY 1, 2"
)


def _definitions(session: Session) -> list[tuple[str, str]]:
    found = session.execute(_DEFINITIONS)
    return [tuple(row) for row in found]


def _load(database: Database) -> tuple[list[Any], list[Any], list[Any]]:
    """Load two rows with the indexes later; give the definitions before, meanwhile and after."""
    with database.session(writes=True) as session:
        before = _definitions(session)
        writer = bulk_writer(session)
        with writer.indexing_later("listings"):
            writer.insert("listings", _COLUMNS, _rows(writer, ("first", "second")))
            meanwhile = _definitions(session)
    with database.session() as session:
        return before, meanwhile, _definitions(session)


def test_first_load_leaves_the_indexes_it_found(postgres_database: Database) -> None:
    """Indexes and foreign keys of an empty table wait for its rows, and are all there again."""
    before, meanwhile, after = _load(postgres_database)

    gone = {name for name, _ in before} - {name for name, _ in meanwhile}
    assert "ix_listings_status" in gone
    assert "fk_listings_artist_id_artists" in gone
    assert "uq_listings_seller_listing_id" not in gone
    assert after == before


def test_index_that_its_definition_does_not_tell_in_full_stays(
    postgres_database: Database,
) -> None:
    """An index with a comment, or that the table is clustered on, is not made anew."""
    with postgres_database.session(writes=True) as session:
        session.execute("COMMENT ON INDEX ix_listings_status IS 'for the window'")
        session.execute("ALTER TABLE listings CLUSTER ON ix_listings_release_id")

    _, meanwhile, _ = _load(postgres_database)

    assert {"ix_listings_status", "ix_listings_release_id"} <= {name for name, _ in meanwhile}


def test_table_with_rows_keeps_its_indexes(postgres_database: Database) -> None:
    """A table that somebody may read is not locked for the sake of its indexes."""
    with postgres_database.session(writes=True) as session:
        writer = bulk_writer(session)
        writer.insert("listings", ("seller", "listing_id"), [("other", "1")])

    before, meanwhile, _ = _load(postgres_database)

    assert meanwhile == before


def test_reader_who_stays_makes_nobody_wait(postgres_database: Database) -> None:
    """While a transaction that has read the table is open, a load keeps the indexes."""
    address = postgres_database.url.set(drivername="postgresql").render_as_string(
        hide_password=False
    )
    with closing(psycopg.connect(address)) as reader:
        reader.execute("SELECT count(*) FROM listings")
        before, meanwhile, after = _load(postgres_database)

    assert meanwhile == before == after
    assert _comments(postgres_database) == ["first", "second"]


def test_load_leaves_the_lock_timeout_as_it_was(postgres_database: Database) -> None:
    """The short patience is for dropping indexes only, not for the rest of the transaction."""
    with postgres_database.session(writes=True) as session:
        session.execute("SET LOCAL lock_timeout = '77s'")
        with bulk_writer(session).indexing_later("listings"):
            shown = session.value("SHOW lock_timeout")

    assert shown == "77s"


def test_deferred_trigger_keeps_the_indexes(postgres_database: Database) -> None:
    """A trigger that waits for the commit would forbid making an index before it."""
    with postgres_database.session(writes=True) as session:
        session.execute(
            "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
        )
        session.execute(
            "CREATE CONSTRAINT TRIGGER note AFTER INSERT ON listings DEFERRABLE "
            "INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note()"
        )

    before, meanwhile, after = _load(postgres_database)

    assert meanwhile == before == after
