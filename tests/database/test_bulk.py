"""Writing many rows: every text as it is, and a table that is the same after a first load."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from discosync.database.connection.bulk import Assignments, bulk_writer
from discosync.database.connection.engine import Database, open_database
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
    with database.writing() as connection:
        writer = bulk_writer(connection)
        return writer.insert("listings", _COLUMNS, _rows(writer, texts))


def _comments(database: Database) -> list[str | None]:
    with database.reading() as connection:
        found = connection.execute(text("SELECT comments FROM listings ORDER BY quantity"))
        return list(found.scalars())


def test_any_text_is_inserted_as_it_is(database: Database) -> None:
    """What looks like a NULL, an escape or an end of the data is text, and NULL is NULL."""
    texts = (*_HOSTILE, None)

    assert _insert(database, *texts) == len(texts)
    assert _comments(database) == list(texts)


@pytest.mark.parametrize("count", [0, 9_999, 10_000, 20_001])
def test_every_row_of_many_arrives(database: Database, count: int) -> None:
    """However many rows a generator gives, each is written once, and they are counted."""
    with database.writing() as connection:
        rows = (("velvet", str(number)) for number in range(count))
        written = bulk_writer(connection).insert("listings", ("seller", "listing_id"), rows)
        found = connection.execute(text("SELECT count(DISTINCT listing_id) FROM listings"))

        assert (written, found.scalar_one()) == (count, count)


def test_any_text_is_updated_as_it_is(database: Database) -> None:
    """An update takes the same values as an insert, and finds a row by a key that is NULL."""
    texts = (*_HOSTILE, None)
    with database.writing() as connection:
        writer = bulk_writer(connection)
        writer.insert("listings", _COLUMNS, _rows(writer, ("before",) * len(texts)))
        assignments = Assignments(
            set_columns=("comments",), keys=("listing_id",), nullable_keys=("content_hash",)
        )
        rows = ((comments, str(number), None) for number, comments in enumerate(texts))
        assert writer.update("listings", assignments, rows) == len(texts)

    assert _comments(database) == list(texts)


def test_moments_amounts_and_flags_keep_their_value(database: Database) -> None:
    """A moment is held in UTC to the microsecond, an amount to the cent, 1 as a true flag."""
    with database.writing() as connection:
        writer = bulk_writer(connection)
        writer.insert("listings", _COLUMNS, _rows(writer, ("fine",)))
        columns = ("seller", "listing_id", "price_value", "posted", "is_active")
        empty = ("velvet", "2", writer.number(None), writer.moment(None), False)
        as_number = ("velvet", "3", writer.number(None), writer.moment(None), 1)
        writer.insert("listings", columns, [empty, as_number])
    with database.reading() as connection:
        shown = "price_value, posted, is_active"
        statement = f"SELECT {shown} FROM listings ORDER BY listing_id"
        rows = connection.execute(text(statement)).fetchall()

    assert [
        str(Decimal(str(rows[0].price_value)).quantize(Decimal("0.01"))),
        str(rows[0].posted),
    ] == [
        "12.90",
        "2026-03-01 10:30:15.000042",
    ]
    assert [row.is_active for row in rows] == [True, False, True]
    assert (rows[1].price_value, rows[1].posted) == (None, None)


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


def _definitions(connection: Any) -> list[tuple[str, str]]:
    found = connection.execute(text(_DEFINITIONS))
    return [tuple(row) for row in found]


def _load(database: Database) -> tuple[list[Any], list[Any], list[Any]]:
    """Load two rows with the indexes later; give the definitions before, meanwhile and after."""
    with database.writing() as connection:
        before = _definitions(connection)
        writer = bulk_writer(connection)
        with writer.indexing_later("listings"):
            writer.insert("listings", _COLUMNS, _rows(writer, ("first", "second")))
            meanwhile = _definitions(connection)
    with database.reading() as connection:
        return before, meanwhile, _definitions(connection)


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
    with postgres_database.writing() as connection:
        connection.execute(text("COMMENT ON INDEX ix_listings_status IS 'for the window'"))
        connection.execute(text("ALTER TABLE listings CLUSTER ON ix_listings_release_id"))

    _, meanwhile, _ = _load(postgres_database)

    assert {"ix_listings_status", "ix_listings_release_id"} <= {name for name, _ in meanwhile}


def test_table_with_rows_keeps_its_indexes(postgres_database: Database) -> None:
    """A table that somebody may read is not locked for the sake of its indexes."""
    with postgres_database.writing() as connection:
        writer = bulk_writer(connection)
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
    with postgres_database.writing() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '77s'"))
        with bulk_writer(connection).indexing_later("listings"):
            shown = connection.execute(text("SHOW lock_timeout")).scalar_one()

    assert shown == "77s"


def test_deferred_trigger_keeps_the_indexes(postgres_database: Database) -> None:
    """A trigger that waits for the commit would forbid making an index before it."""
    with postgres_database.writing() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
                "'BEGIN RETURN NULL; END'"
            )
        )
        connection.execute(
            text(
                "CREATE CONSTRAINT TRIGGER note AFTER INSERT ON listings DEFERRABLE "
                "INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note()"
            )
        )

    before, meanwhile, after = _load(postgres_database)

    assert meanwhile == before == after
