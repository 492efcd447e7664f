"""Check that a migration leaves every row and every value as they were."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import inspect

from discosync.database.connection.alchemy import AlchemySession
from discosync.database.connection.session import Session
from discosync.database.schema.own_names import OwnNames
from discosync.database.schema.tables import listings
from discosync.errors import MigrationFailed

_COPY = "discosync_before"
_PRICES = ("price_value", "shipping_price")
_LISTING_COLUMNS = set(listings.columns.keys())


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


def check_rows(
    session: AlchemySession, before: RowsBefore, *, with_values: bool, own: OwnNames | None = None
) -> int:
    """Compare with what was there; raise `MigrationFailed` for a row or value that changed.

    A price may come out rounded to the cent that a person sees; returns how many did. What `own`
    says to be put aside is compared where it is now.
    """
    own = own or OwnNames()
    found = inspect(session.alchemy)
    now = {name: _count(session, name) for name in found.get_table_names()}
    for name, count in before.rows.items():
        found_now = now.get(_name_now(name, own, before=before.rows, now=now), count)
        if found_now != count:
            raise _changed(f"{name} had {count:,} rows and would have {found_now:,}")
    if not before.columns:
        return 0
    rounded = 0
    if with_values:
        held = {column["name"] for column in found.get_columns("listings")}
        # What an earlier migration had put aside stands in the copy under both of its names.
        aside = {n: kept for n, kept in own.columns.items() if kept not in before.columns}
        pairs = [(aside.get(name, name), name) for name in before.columns]
        rounded = _check_values(session, [pair for pair in pairs if pair[0] in held])
    session.execute(f"DROP TABLE {_COPY}")
    return rounded


def _name_now(
    name: str, own: OwnNames, *, before: Mapping[str, int], now: Mapping[str, int]
) -> str:
    """Name a table as it is called now: it may have been put aside just now, or given back."""
    kept = own.tables.get(name)
    if kept is not None and kept in now and kept not in before:
        return kept
    given_back = {new: old for old, new in own.tables.items() if new in before and new not in now}
    # What had its name before was ours, and is gone.
    return given_back.get(name, "" if name in given_back.values() else name)


def _count(session: Session, table: str) -> int:
    return int(session.value(f'SELECT count(*) FROM "{table}"'))  # noqa: S608 - the database's own names


def _check_values(session: Session, pairs: list[tuple[str, str]]) -> int:
    """Compare all values in one pass over the table; a pair names a column now, and before."""
    is_sqlite = session.is_sqlite
    differs = "{0} IS NOT {1}" if is_sqlite else "{0} IS DISTINCT FROM {1}"
    tests = [differs.format(*_sides(*pair, is_sqlite=is_sqlite)) for pair in pairs]
    counted = [f"count(*) FILTER (WHERE {test})" for test in tests]
    rounding = [
        f"count(*) FILTER (WHERE abs(l.{name} - b.{name}) > 0.00001)"
        for name in _PRICES
        if (name, name) in pairs
    ]
    statement = (
        f"SELECT count(*), {', '.join([*counted, *rounding])} "  # noqa: S608 - the database's own names
        f"FROM {_COPY} b JOIN listings l ON l.id = b.id"
    )
    matched, *counts = session.execute(statement).fetchone()
    kept = _count(session, _COPY)
    if matched != kept:
        raise _changed(f"{kept - matched:,} listings would be gone")
    for (_, name), count in zip(pairs, counts, strict=False):
        if count:
            raise _changed(f"{name} would differ in {count:,} listings")
    return sum(counts[len(pairs) :])


def _sides(name: str, before: str, *, is_sqlite: bool) -> tuple[str, str]:
    """Name the two values to compare; a price is compared as a person sees it, to the cent."""
    if name in _PRICES and not is_sqlite:
        return f"round(l.{name}::numeric, 2)", f"round(b.{name}::numeric, 2)"
    if not is_sqlite and before not in _LISTING_COLUMNS:
        # A column of the shop's own may have a type that cannot be compared, such as JSON.
        return f'l."{name}"::text', f'b."{before}"::text'
    return f'l."{name}"', f'b."{before}"'


def _changed(what: str) -> MigrationFailed:
    return MigrationFailed(
        f"the migration would change existing data: {what}",
        hint="nothing was changed; please report it",
        code="not_unharmed",
    )
