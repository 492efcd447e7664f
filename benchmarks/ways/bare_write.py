"""A limit, not a way: bring the export into an empty table by what the driver does best."""

import csv
import sqlite3
from collections.abc import Iterator
from contextlib import closing

from benchmarks.ways.shop_table import COLUMNS, arguments, is_sqlite, schema, sqlite_path


def main() -> None:
    """Write once."""
    path, url = arguments()
    with open(path, encoding="utf-8", newline="") as file:  # noqa: PTH123 - start-up counts
        rows = csv.reader(file)
        next(rows)
        (_insert if is_sqlite(url) else _copy)(url, rows)


def _insert(url: str, rows: Iterator[list[str]]) -> None:
    with closing(sqlite3.connect(sqlite_path(url))) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        with connection:
            for statement in schema(url):
                connection.execute(statement)
            marks = ", ".join("?" * len(COLUMNS))
            connection.executemany(f"INSERT INTO listings VALUES ({marks})", rows)


def _copy(url: str, rows: Iterator[list[str]]) -> None:
    import psycopg  # noqa: PLC0415 - not needed on SQLite

    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for statement in schema(url):
            cursor.execute(statement.encode())
        with cursor.copy(f"COPY listings ({', '.join(COLUMNS)}) FROM STDIN".encode()) as copy:
            for row in rows:
                copy.write_row(row)


if __name__ == "__main__":
    main()
