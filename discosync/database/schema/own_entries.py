"""Take what a shop knew of artists and labels from its own tables into ours, and the links to them.

The shop's tables stay as they are. A link may be a number or a UUID: ours are always UUIDs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import inspect

from discosync.database.connection.alchemy import AlchemySession
from discosync.database.connection.bulk import Assignments, Row, bulk_writer
from discosync.database.connection.values import naive
from discosync.database.schema.own_names import OwnNames

_TABLES = {
    "artists": ("artist_id", ("artists",)),
    "labels": ("label_id", ("labels", "record_labels")),
}
"""Our tables: the column that points to each, and what a shop may call its own one."""

_ALSO_READ = ("uuid", "discogs_id", "profile", "description")
_COLUMNS = (
    *("uuid", "discogs_id", "name", "profile", "description"),
    *("is_unlisted", "created_at", "updated_at"),
)
_MAX_DISCOGS_ID = 2**31


@dataclass(frozen=True, slots=True)
class _Source:
    """A table of the shop's, and the column by which its listings point to it."""

    table: str
    key: str
    columns: frozenset[str]


def import_entries(session: AlchemySession, own: OwnNames, *, now: datetime) -> dict[str, int]:
    """Fill `artists` and `labels` from the shop's own tables; count what each of them got."""
    counts = {}
    for table, (link, _) in _TABLES.items():
        source = _find_source(session, own, table)
        if source is None or "name" not in source.columns:
            continue
        uuid_by_key, rows = _read_entries(session, source, naive(now))
        if rows:
            counts[table] = bulk_writer(session).insert(table, _COLUMNS, rows)
        if kept := own.columns.get(link):
            _link(session, link, kept, uuid_by_key)
    return counts


def _find_source(session: AlchemySession, own: OwnNames, table: str) -> _Source | None:
    found = inspect(session.alchemy)
    link, names = _TABLES[table]
    for key in found.get_foreign_keys("listings"):
        if key["constrained_columns"] == [own.columns.get(link)]:
            columns = {str(c["name"]) for c in found.get_columns(key["referred_table"])}
            return _Source(key["referred_table"], key["referred_columns"][0], frozenset(columns))
    held = set(found.get_table_names())
    for name in (own.tables.get(each, each) for each in names):
        if name in held and name != table:
            columns = {str(c["name"]) for c in found.get_columns(name)}
            keys = [each for each in ("uuid", "id") if each in columns]
            return _Source(name, keys[0], frozenset(columns)) if keys else None
    return None


def _read_entries(
    session: AlchemySession, source: _Source, stamp: datetime | None
) -> tuple[dict[str, str], list[Row]]:
    """Read the shop's entries: our UUID for each of its keys, and the rows of our table.

    Two of the same number, or of the same name without a number, are one.
    """
    wanted = [name for name in _ALSO_READ if name in source.columns]
    shown = ", ".join(dict.fromkeys([source.key, "name", *wanted]))
    found = session.execute(f'SELECT {shown} FROM "{source.table}" ORDER BY {source.key}')  # noqa: S608 - the database's own names
    names = [column[0] for column in found.description]
    uuid_by_key: dict[str, str] = {}
    uuid_by_identity: dict[object, str] = {}
    rows: list[Row] = []
    for values in found.fetchall():
        entry = dict(zip(names, values, strict=True))
        name = str(entry["name"] or "").strip()
        if not name:
            continue
        number = _read_number(entry.get("discogs_id"))
        identity = number if number is not None else name
        if identity not in uuid_by_identity:
            uuid = _own_uuid(entry) or str(uuid4())
            if uuid in uuid_by_identity.values():
                uuid = str(uuid4())
            uuid_by_identity[identity] = uuid
            texts = [entry.get(each) or None for each in ("profile", "description")]
            rows.append((uuid, number, name, *texts, False, stamp, stamp))
        uuid_by_key[str(entry[source.key])] = uuid_by_identity[identity]
    return uuid_by_key, rows


def _read_number(value: object) -> int | None:
    text = str(value).strip()
    is_number = text.isascii() and text.isdigit() and 0 < int(text or 0) < _MAX_DISCOGS_ID
    return int(text) if is_number else None


def _own_uuid(entry: Mapping[str, Any]) -> str | None:
    try:
        return str(UUID(str(entry.get("uuid"))))
    except ValueError:
        return None


def _link(session: AlchemySession, link: str, kept: str, uuid_by_key: Mapping[str, str]) -> None:
    found = session.execute(f"SELECT id, {kept} FROM listings WHERE {kept} IS NOT NULL")  # noqa: S608 - our own names
    rows = [
        (uuid, key)
        for key, value in found.fetchall()
        if (uuid := uuid_by_key.get(str(value))) is not None
    ]
    if rows:
        assignments = Assignments(set_columns=(link,), keys=("id",))
        bulk_writer(session).update("listings", assignments, rows)
