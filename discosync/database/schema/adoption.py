"""Take over the old shop's own table of listings: nothing in it is lost.

The table stays where it is; what discosync adds are columns beside those that the old shop's
programs read, and those go on reading them.
"""

import re
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import inspect

from discosync.database.connection.alchemy import AlchemySession
from discosync.database.connection.engine import Database
from discosync.database.connection.session import Session
from discosync.database.schema.filling import find_copies
from discosync.database.schema.own_columns import ADDED, find_own_columns
from discosync.database.schema.own_names import OWN_TABLES, OwnNames, set_aside
from discosync.database.schema.tables import listings, metadata
from discosync.errors import MigrationFailed

OLD_COLUMNS = tuple(column.name for column in listings.columns if column.name not in ADDED)
"""The columns of the old shop's table."""

_ALWAYS_WRITTEN = {
    *("id", "listing_id", "status", "price_value", "release_id", "content_hash", "is_active")
}
_MAX_NAMED = 5


def find_obstacles(database: Database) -> list[str]:
    """Say why a table of listings cannot be adopted as it is; empty when it can."""
    with database.alchemy_session() as session:
        found = inspect(session.alchemy)
        held = {column["name"] for column in found.get_columns("listings")}
        missing = [name for name in OLD_COLUMNS if name not in held]
        if missing:
            return [f"the table listings lacks the columns {', '.join(missing[:_MAX_NAMED])}"]
        needed = set(metadata.tables).difference({"listings"}, OWN_TABLES)
        taken = sorted(needed.intersection(found.get_table_names()))
        obstacles = [f"there is a table {name} already, which discosync needs" for name in taken]
        if "active_listings" in found.get_view_names():
            obstacles.append("there is a view active_listings already, which discosync makes")
        return [*obstacles, *_find_bad_key(session), *_find_bad_ids(session)]


def _find_bad_key(session: AlchemySession) -> Iterator[str]:
    """Find out whether the database itself gives a new listing its `id`."""
    if not session.is_sqlite:
        return
    keys = [row for row in session.execute("PRAGMA table_info(listings)").fetchall() if row[5]]
    # SQLite counts a key of exactly this type; any other would stay empty without a word.
    if [(row[1], str(row[2]).upper()) for row in keys] != [("id", "INTEGER")]:
        yield "the column id of listings is not its INTEGER PRIMARY KEY"


def _find_bad_ids(session: Session) -> list[str]:
    counts = session.execute("SELECT listing_id, count(*) FROM listings GROUP BY listing_id")
    bad, twice = [], []
    for listing_id, count in counts:
        if count > 1:
            twice.append(f"listing_id {listing_id} stands in {count} rows: keep the right one")
        if re.fullmatch("[1-9][0-9]{0,17}", str(listing_id)) is None:
            bad.append(f"listing_id {listing_id!r} is no Discogs id")
    return [*twice, *bad]


def prepare_table(session: AlchemySession, *, now: datetime) -> OwnNames:
    """Make the old table the one of the first migration, beside what the shop has of its own.

    What has a name of ours is put aside where it cannot hold our values; the indexes of the first
    migration are made; what a source may not show may be empty.
    """
    own_columns = find_own_columns(session)
    copied = find_copies(session, own_columns, now=now)
    own = set_aside(session, own_columns, copied=copied, now=now)
    _prepare_indexes(session)
    return own


def _prepare_indexes(session: AlchemySession) -> None:
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
        pattern = rf"""(["`\[]?\b{re.escape(name)}\b["`\]]?\s(?:[^,(]|\([^)]*\))*?)\s+NOT\s+NULL"""
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
