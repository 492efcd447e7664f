"""Check that a migration leaves every row and every value as they were."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import inspect

from discosync.database.connection.alchemy import AlchemySession
from discosync.database.connection.session import Session
from discosync.errors import MigrationFailed

_COPY = "discosync_before"
_PRICES = ("price_value", "shipping_price")


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsBefore:
    """How many rows each table had, and which columns `listings` had, which is copied aside."""

    rows: Mapping[str, int]
    columns: tuple[str, ...]


def keep_rows_aside(session: AlchemySession) -> RowsBefore:
    """Count every table, and copy the listings aside for the rest of the transaction."""
    found = inspect(session.alchemy)
    tables = [name for name in found.get_table_names() if name != "alembic_version"]
    columns: tuple[str, ...] = ()
    if "listings" in tables:
        columns = tuple(column["name"] for column in found.get_columns("listings"))
        session.execute(f"CREATE TEMP TABLE {_COPY} AS SELECT * FROM listings")  # noqa: S608 - our own names
    return RowsBefore(rows={name: _count(session, name) for name in tables}, columns=columns)


def check_rows(session: AlchemySession, before: RowsBefore, *, with_values: bool) -> int:
    """Compare with what was there; raise `MigrationFailed` for a row or value that changed.

    A price may come out rounded to the cent that a person sees; returns how many did.
    """
    found = inspect(session.alchemy)
    now = {name: _count(session, name) for name in found.get_table_names()}
    for name, count in before.rows.items():
        if name in now and now[name] != count:
            raise _changed(f"{name} had {count:,} rows and would have {now[name]:,}")
    if not before.columns:
        return 0
    rounded = 0
    if with_values:
        held = {column["name"] for column in found.get_columns("listings")}
        rounded = _check_values(session, [c for c in before.columns if c in held])
    session.execute(f"DROP TABLE {_COPY}")
    return rounded


def _count(session: Session, table: str) -> int:
    return int(session.value(f'SELECT count(*) FROM "{table}"'))  # noqa: S608 - the database's own names


def _check_values(session: Session, columns: list[str]) -> int:
    """Compare all values in one pass over the table."""
    is_sqlite = session.is_sqlite
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
    matched, *counts = session.execute(statement).fetchone()
    kept = _count(session, _COPY)
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
        f"the migration would change existing data: {what}",
        hint="nothing was changed; please report it",
        code="not_unharmed",
    )
