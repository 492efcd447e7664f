"""See that a migration leaves every row and every value as it found them."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, inspect, text

from discosync.errors import MigrationFailed

_COPY = "discosync_before"
_PRICES = ("price_value", "shipping_price")


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """How many rows each table had, and the columns of `listings` whose values are kept aside."""

    rows: Mapping[str, int]
    columns: tuple[str, ...]


def remember_rows(connection: Connection) -> Remembered:
    """Count every table, and put the listings' values aside for the rest of the transaction."""
    found = inspect(connection)
    tables = [name for name in found.get_table_names() if name != "alembic_version"]
    columns: tuple[str, ...] = ()
    if "listings" in tables:
        columns = tuple(column["name"] for column in found.get_columns("listings"))
        connection.execute(text(f"CREATE TEMP TABLE {_COPY} AS SELECT * FROM listings"))  # noqa: S608 - our own names
    return Remembered(rows={name: _count(connection, name) for name in tables}, columns=columns)


def check_rows(connection: Connection, remembered: Remembered, *, with_values: bool) -> int:
    """Compare with what was remembered; raise `MigrationFailed` for a row or value that changed.

    A price may come out rounded to the cent that a person sees; returns how many did.
    """
    found = inspect(connection)
    now = {name: _count(connection, name) for name in found.get_table_names()}
    for name, count in remembered.rows.items():
        if name in now and now[name] != count:
            raise _changed(f"{name} had {count:,} rows and would have {now[name]:,}")
    if not remembered.columns:
        return 0
    rounded = 0
    if with_values:
        there = {column["name"] for column in found.get_columns("listings")}
        rounded = _check_values(connection, [c for c in remembered.columns if c in there])
    connection.execute(text(f"DROP TABLE {_COPY}"))
    return rounded


def _count(connection: Connection, table: str) -> int:
    return int(connection.exec_driver_sql(f'SELECT count(*) FROM "{table}"').scalar_one())  # noqa: S608 - the database's own names


def _check_values(connection: Connection, columns: list[str]) -> int:
    """Compare all values in one pass over the table."""
    is_sqlite = connection.dialect.name == "sqlite"
    differs = "{0} IS NOT {1}" if is_sqlite else "{0} IS DISTINCT FROM {1}"
    tests = [differs.format(*_sides(name, is_sqlite=is_sqlite)) for name in columns]
    counted = [f"count(*) FILTER (WHERE {test})" for test in tests]
    rounding = [
        f"count(*) FILTER (WHERE abs(l.{name} - b.{name}) > 0.00001)"
        for name in _PRICES
        if name in columns
    ]
    statement = (
        f"SELECT count(*), {', '.join([*counted, *rounding])} "  # noqa: S608 - the database's own names
        f"FROM {_COPY} b JOIN listings l ON l.id = b.id"
    )
    matched, *counts = connection.exec_driver_sql(statement).one()
    kept = _count(connection, _COPY)
    if matched != kept:
        raise _changed(f"{kept - matched:,} listings would be gone")
    for name, count in zip(columns, counts, strict=False):
        if count:
            raise _changed(f"{name} would differ in {count:,} listings")
    return sum(counts[len(columns) :])


def _sides(name: str, *, is_sqlite: bool) -> tuple[str, str]:
    """Name the two values to compare; a price is compared as a person sees it, to the cent."""
    if name in _PRICES and not is_sqlite:
        return f"round(l.{name}::numeric, 2)", f"round(b.{name}::numeric, 2)"
    return f'l."{name}"', f'b."{name}"'


def _changed(what: str) -> MigrationFailed:
    return MigrationFailed(
        f"the migration would change what is there: {what}",
        hint="nothing was changed; please report it",
        code="not_unharmed",
    )
