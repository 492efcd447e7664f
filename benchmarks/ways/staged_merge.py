"""Arrow into a temporary table by ADBC, then three statements of SQL: what polars and duckdb share.

Writes only the rows that differ, deletes what is gone, all in one transaction.
"""

from contextlib import closing
from typing import Any

from benchmarks.ways.shop_table import COLUMNS, is_sqlite, schema, sqlite_path

_VALUES = COLUMNS[1:]


def merge(arrow: Any, url: str) -> None:  # noqa: ANN401 - whatever speaks Arrow's interface
    """Make the table equal to the Arrow data."""
    with closing(_connect(url)) as connection, closing(connection.cursor()) as cursor:
        cursor.adbc_ingest("staging", arrow, mode="create", temporary=True)
        for statement in (*schema(url), *_STATEMENTS[is_sqlite(url)]):
            cursor.execute(statement)
        # Not `connection.commit`, which does nothing on a connection that began with autocommit.
        connection.adbc_connection.commit()


def _connect(url: str) -> Any:  # noqa: ANN401 - the drivers are not typed
    if not is_sqlite(url):
        from adbc_driver_postgresql import dbapi as postgres  # noqa: PLC0415 - one of the two

        return postgres.connect(url)
    from adbc_driver_sqlite import dbapi as sqlite  # noqa: PLC0415 - one of the two

    connection = sqlite.connect(sqlite_path(url), autocommit=True)
    with closing(connection.cursor()) as cursor:
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
            cursor.execute(f"PRAGMA {pragma}")
            cursor.fetchall()
    connection.adbc_connection.set_autocommit(False)
    return connection


def _statements(differs: str) -> tuple[str, ...]:
    names = ", ".join(COLUMNS)
    ours, theirs = (", ".join(f"{t}.{c}" for c in _VALUES) for t in ("listings", "s"))
    sets = ", ".join(f"{c} = s.{c}" for c in _VALUES)
    update = (
        f"UPDATE listings SET {sets} FROM staging s "
        f"WHERE listings.listing_id = s.listing_id AND ({ours}) {differs} ({theirs})"
    )
    insert = (
        f"INSERT INTO listings ({names}) SELECT {names} FROM staging s WHERE NOT EXISTS "
        "(SELECT 1 FROM listings l WHERE l.listing_id = s.listing_id)"
    )
    delete = "DELETE FROM listings WHERE listing_id NOT IN (SELECT listing_id FROM staging)"
    return update, insert, delete


_STATEMENTS = {True: _statements("IS NOT"), False: _statements("IS DISTINCT FROM")}
