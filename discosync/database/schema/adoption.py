"""Take over the old shop's own table of listings: nothing in it is lost or changed.

The table stays where it is; what discosync adds are columns beside those that the old shop's
programs read, and those go on reading them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import inspect

from discosync.core.inventory.listing import CONTENT_FIELDS, content_hash_of_row
from discosync.core.planning.changes import Lifecycle
from discosync.core.planning.lifecycle import lifecycle_of_adopted
from discosync.database.connection.alchemy import AlchemySession
from discosync.database.connection.bulk import Assignments, Row, bulk_writer
from discosync.database.connection.engine import Database
from discosync.database.connection.session import Session
from discosync.database.connection.values import naive, read_field
from discosync.database.schema.tables import listings, metadata
from discosync.errors import MigrationFailed

_ADDED = {
    "content_hash", "is_active", "removed_at", "removal_reason", "sold_at", "seller", "quantity",
    "accept_offer", "artist_id", "label_id",
}  # fmt: skip
OLD_COLUMNS = tuple(column.name for column in listings.columns if column.name not in _ADDED)
"""The columns of the old shop's table."""

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
    with database.alchemy_session() as session:
        found = inspect(session.alchemy)
        held = {column["name"] for column in found.get_columns("listings")}
        missing = [name for name in OLD_COLUMNS if name not in held]
        if missing:
            return [f"the table listings lacks the columns {', '.join(missing[:_MAX_NAMED])}"]
        taken = sorted((set(metadata.tables) - {"listings"}).intersection(found.get_table_names()))
        obstacles = [f"there is a table {name} already, which discosync needs" for name in taken]
        if "active_listings" in found.get_view_names():
            obstacles.append("there is a view active_listings already, which discosync makes")
        obstacles += [
            f"the table listings has a column {name} already, which discosync adds"
            for name in sorted(_ADDED & held)
        ]
        return obstacles + _find_bad_ids(session)


def _find_bad_ids(session: Session) -> list[str]:
    counts = session.execute("SELECT listing_id, count(*) FROM listings GROUP BY listing_id")
    bad, twice = [], []
    for listing_id, count in counts:
        if count > 1:
            twice.append(f"listing_id {listing_id} stands in two rows: which one is right?")
        if re.fullmatch("[1-9][0-9]{0,17}", str(listing_id)) is None:
            bad.append(f"listing_id {listing_id!r} is no Discogs id")
    return [*twice, *bad]


def prepare_table(session: AlchemySession) -> None:
    """Give the old table the indexes of the first migration, and let its columns be empty."""
    found = inspect(session.alchemy)
    indexed = {tuple(index["column_names"]) for index in found.get_indexes("listings")}
    for name in ("status", "release_id"):
        if (name,) not in indexed:
            session.execute(f"CREATE INDEX ix_listings_{name} ON listings ({name})")
    required = [
        str(column["name"])
        for column in found.get_columns("listings")
        if not column["nullable"] and column["name"] not in _ALWAYS_WRITTEN
    ]
    if session.is_sqlite:
        _allow_empty_on_sqlite(session, required)
        return
    for name in required:
        session.execute(f'ALTER TABLE listings ALTER COLUMN "{name}" DROP NOT NULL')


def _allow_empty_on_sqlite(session: Session, names: list[str]) -> None:
    """Edit the table's definition as SQLite's manual shows for this case.

    Rebuilding the table would lose what a program cannot read back of it. An export shows neither
    images nor years, so that these columns must be allowed to be empty.
    """
    if not names:
        return
    definition = str(
        session.value("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'listings'")
    )
    for name in names:
        pattern = rf"""(["`\[]?\b{re.escape(name)}\b["`\]]?\s[^,]*?)\s+NOT\s+NULL"""
        definition = re.sub(pattern, r"\1", definition, count=1, flags=re.IGNORECASE)
    version = session.value("PRAGMA schema_version")
    session.execute("PRAGMA writable_schema=ON")
    session.execute(
        "UPDATE sqlite_master SET sql = :definition WHERE type = 'table' AND name = 'listings'",
        definition=definition,
    )
    session.execute(f"PRAGMA schema_version={version + 1}")
    session.execute("PRAGMA writable_schema=OFF")
    left = [row[1] for row in session.execute("PRAGMA table_info(listings)") if row[3]]
    if still := sorted(set(names).intersection(left)):
        raise MigrationFailed(
            f"the columns {', '.join(still)} of the old table cannot be allowed to be empty",
            hint="nothing was changed; take NOT NULL away from them, then run it again",
        )


def fill_in(session: Session, *, seller: str, now: datetime, with_lifecycle: bool) -> Adopted:
    """Give every row its seller, its content hash and, where asked, whether it is for sale."""
    writer = bulk_writer(session)
    lifecycle_columns = Lifecycle._fields if with_lifecycle else ()
    assignments = Assignments(
        set_columns=("seller", "content_hash", *lifecycle_columns), keys=("id",)
    )
    count = 0
    for batch in _read_batches(session):
        rows: list[Row] = []
        for key, *stored in batch:
            pairs = zip(CONTENT_FIELDS, stored, strict=True)
            content = {name: read_field(name, value) for name, value in pairs}
            lifecycle = lifecycle_of_adopted(content["status"], now=now) if with_lifecycle else ()
            state = [naive(v) if isinstance(v, datetime) else v for v in lifecycle]
            rows.append((seller, content_hash_of_row(content), *state, key))
        count += writer.update("listings", assignments, rows)
    active = session.value("SELECT count(*) FROM listings WHERE is_active")
    return Adopted(listings=count, active=int(active))


def _read_batches(session: Session) -> Iterator[Sequence[Row]]:
    """Read all rows in the order of their keys, a few thousand at a time."""
    after = None
    while True:
        rest = "" if after is None else "WHERE id > :after"
        batch = session.execute(
            f"SELECT id, {', '.join(CONTENT_FIELDS)} FROM listings {rest} "  # noqa: S608
            f"ORDER BY id LIMIT {_ROWS_PER_BATCH}",
            **({} if after is None else {"after": after}),
        ).fetchall()
        if not batch:
            return
        yield batch
        after = batch[-1][0]
