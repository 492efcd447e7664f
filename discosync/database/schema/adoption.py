"""Take over the old shop's own table of listings: nothing in it is lost or changed.

The table stays where it is; what discosync adds are columns beside those that the old shop's
programs read, and those go on reading them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, inspect, select, text

from discosync.core.inventory.listing import CONTENT_FIELDS, content_hash_of_row
from discosync.core.planning.changes import Lifecycle
from discosync.core.planning.lifecycle import lifecycle_of_adopted
from discosync.database.connection.bulk import Assignments, Row, bulk_writer
from discosync.database.connection.engine import Database, driver_connection
from discosync.database.rows.store import typed
from discosync.database.schema.column_types import naive
from discosync.database.schema.tables import listings, metadata
from discosync.errors import MigrationFailed

_ADDED = {
    "content_hash", "is_active", "removed_at", "removal_reason", "sold_at", "seller", "quantity",
    "accept_offer", "artist_id", "label_id",
}  # fmt: skip
OLD_COLUMNS = tuple(column.name for column in listings.columns if column.name not in _ADDED)
"""The columns of the old shop's table (contract, section 5)."""

_ALWAYS_WRITTEN = {"id", "listing_id", "status", "price_value", "release_id"}
_ROWS_PER_BATCH = 5_000
_MAX_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """What was taken over: how many listings, and how many of them are for sale."""

    listings: int
    active: int


def find_obstacles(database: Database) -> list[str]:
    """Say why a table of listings cannot be adopted as it is; empty when it can."""
    with database.reading() as connection:
        found = inspect(connection)
        there = {column["name"] for column in found.get_columns("listings")}
        missing = [name for name in OLD_COLUMNS if name not in there]
        if missing:
            return [f"the table listings lacks the columns {', '.join(missing[:_MAX_NAMED])}"]
        taken = sorted((set(metadata.tables) - {"listings"}).intersection(found.get_table_names()))
        obstacles = [f"there is a table {name} already, which discosync needs" for name in taken]
        if "active_listings" in found.get_view_names():
            obstacles.append("there is a view active_listings already, which discosync makes")
        obstacles += [
            f"the table listings has a column {name} already, which discosync adds"
            for name in sorted(_ADDED & there)
        ]
        return obstacles + _find_bad_ids(connection)


def _find_bad_ids(connection: Connection) -> list[str]:
    by_id = select(listings.c.listing_id).group_by(listings.c.listing_id)
    twice = [str(i) for i in connection.execute(by_id.having(text("count(*) > 1"))).scalars()]
    obstacles = [f"listing_id {i} stands in two rows: which one is right?" for i in twice]
    return obstacles + [
        f"listing_id {listing_id!r} is no Discogs id"
        for listing_id in connection.execute(by_id).scalars()
        if re.fullmatch("[1-9][0-9]{0,17}", str(listing_id)) is None
    ]


def prepare_table(connection: Connection) -> None:
    """Bring the old table to the form of the first migration: indexes, and what may be empty."""
    found = inspect(connection)
    indexed = {tuple(index["column_names"]) for index in found.get_indexes("listings")}
    for name in ("status", "release_id"):
        if (name,) not in indexed:
            connection.execute(text(f"CREATE INDEX ix_listings_{name} ON listings ({name})"))
    required = [
        str(column["name"])
        for column in found.get_columns("listings")
        if not column["nullable"] and column["name"] not in _ALWAYS_WRITTEN
    ]
    if connection.dialect.name == "sqlite":
        _allow_empty_on_sqlite(connection, required)
        return
    for name in required:
        connection.execute(text(f'ALTER TABLE listings ALTER COLUMN "{name}" DROP NOT NULL'))


def _allow_empty_on_sqlite(connection: Connection, names: list[str]) -> None:
    """Edit the table's definition as SQLite's manual shows for this case.

    Rebuilding the table would lose what a program cannot read back of it. An export shows neither
    images nor years, so that these columns must be allowed to be empty.
    """
    if not names:
        return
    driver = driver_connection(connection)
    (definition,) = driver.execute(
        "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'listings'"
    ).fetchone()
    for name in names:
        pattern = rf"""(["`\[]?\b{re.escape(name)}\b["`\]]?\s[^,]*?)\s+NOT\s+NULL"""
        definition = re.sub(pattern, r"\1", definition, count=1, flags=re.IGNORECASE)
    version = driver.execute("PRAGMA schema_version").fetchone()[0]
    driver.execute("PRAGMA writable_schema=ON")
    driver.execute(
        "UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = 'listings'",
        (definition,),
    )
    driver.execute(f"PRAGMA schema_version={version + 1}")
    driver.execute("PRAGMA writable_schema=OFF")
    left = [row[1] for row in driver.execute("PRAGMA table_info(listings)") if row[3]]
    if still := sorted(set(names).intersection(left)):
        raise MigrationFailed(
            f"the columns {', '.join(still)} of the old table cannot be allowed to be empty",
            hint="nothing was changed; take NOT NULL away from them, then run it again",
        )


def fill_in(connection: Connection, *, seller: str, now: datetime, with_lifecycle: bool) -> Adopted:
    """Give every row its seller, its content hash and, where asked, whether it is for sale."""
    writer = bulk_writer(connection)
    lifecycle_columns = Lifecycle._fields if with_lifecycle else ()
    assignments = Assignments(
        set_columns=("seller", "content_hash", *lifecycle_columns), keys=("id",)
    )
    count = 0
    for batch in _read_batches(connection):
        rows: list[Row] = []
        for key, *stored in batch:
            pairs = zip(CONTENT_FIELDS, stored, strict=True)
            content = {name: typed(name, value) for name, value in pairs}
            lifecycle = lifecycle_of_adopted(content["status"], now=now) if with_lifecycle else ()
            state = [naive(v) if isinstance(v, datetime) else v for v in lifecycle]
            rows.append((seller, content_hash_of_row(content), *state, key))
        count += writer.update("listings", assignments, rows)
    is_active = select(func.count()).where(listings.c.is_active)
    return Adopted(listings=count, active=connection.execute(is_active).scalar_one())


def _read_batches(connection: Connection) -> Iterator[Sequence[Row]]:
    """Read all rows in the order of their keys, a few thousand at a time."""
    after = None
    columns = [listings.c.id, *(listings.c[name] for name in CONTENT_FIELDS)]
    while True:
        statement = select(*columns).order_by(listings.c.id).limit(_ROWS_PER_BATCH)
        if after is not None:
            statement = statement.where(listings.c.id > after)
        batch = [tuple(row) for row in connection.execute(statement)]
        if not batch:
            return
        yield batch
        after = batch[-1][0]
