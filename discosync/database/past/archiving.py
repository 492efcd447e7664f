"""Turn listings, their history and links into the lines of an archive, and put them back.

By SQLAlchemy: a shop may have added columns of its own, whose types only the database knows.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Column, Connection, MetaData, Table, insert, select

from discosync.database.connection.alchemy import AlchemySession
from discosync.database.connection.session import in_chunks
from discosync.database.past.purging import forget_purged, load_present
from discosync.database.schema.column_types import UtcDateTime
from discosync.database.schema.tables import (
    artists,
    labels,
    listing_artists,
    listing_changes,
    listing_labels,
    listings,
    sync_runs,
)
from discosync.errors import StorageFailed

_LINKS = {"artists": listing_artists, "labels": listing_labels}
_TARGETS = {"artists": ("artist_id", artists), "labels": ("label_id", labels)}

Line = dict[str, Any]


def _reflect_listings(connection: Connection) -> Table:
    """Read which columns the table has, those included that a shop has added."""
    return Table(listings.name, MetaData(), autoload_with=connection, resolve_fks=False)


def archive_lines(
    session: AlchemySession, seller: str, listing_ids: Sequence[int]
) -> Iterator[Line]:
    """Give the lines of an archive: the runs, then each listing with its history and links."""
    c, connection = listing_changes.c, session.alchemy
    ids = [str(i) for i in listing_ids]
    run_keys: set[int] = set()
    for chunk in in_chunks(ids):
        own = select(c.sync_run_id).where(c.seller == seller, c.listing_id.in_(chunk))
        run_keys.update(connection.execute(own.distinct()).scalars())
    run_ids: dict[int, str] = {}
    for keys in in_chunks(sorted(run_keys)):
        wanted = select(sync_runs).where(sync_runs.c.id.in_(keys))
        for row in connection.execute(wanted.order_by(sync_runs.c.id)).mappings():
            run_ids[row["id"]] = row["run_id"]
            run = {name: _plain(value) for name, value in row.items() if name != "id"}
            yield {"type": "run", "run": run}
    table = _reflect_listings(connection)
    for chunk in in_chunks(ids):
        yield from _listing_lines(connection, table, seller, chunk, run_ids)


def _listing_lines(
    connection: Connection,
    table: Table,
    seller: str,
    chunk: Sequence[str],
    run_ids: Mapping[int, str],
) -> Iterator[Line]:
    changes: dict[str, list[Line]] = {listing_id: [] for listing_id in chunk}
    c = listing_changes.c
    own = select(listing_changes).where(c.seller == seller, c.listing_id.in_(chunk))
    for row in connection.execute(own.order_by(c.id)).mappings():
        run_id = run_ids[row["sync_run_id"]]
        change = {"run_id": run_id, "kind": row["kind"], "fields": row["fields"]}
        changes[row["listing_id"]].append(change)
    links = {name: _load_links(connection, t, seller, chunk) for name, t in _LINKS.items()}
    wanted = select(table).where(table.c.seller == seller, table.c.listing_id.in_(chunk))
    for row in connection.execute(wanted.order_by(table.c.id)).mappings():
        listing_id = row["listing_id"]
        yield {
            "type": "listing",
            "row": {name: _plain(value) for name, value in row.items()},
            "changes": changes[listing_id],
            **{name: found.get(listing_id, []) for name, found in links.items()},
        }


def _load_links(
    connection: Connection, table: Table, seller: str, chunk: Sequence[str]
) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    own = select(table).where(table.c.seller == seller, table.c.listing_id.in_(chunk))
    for row in connection.execute(own.order_by(table.c.id)).mappings():
        link = {n: v for n, v in row.items() if n not in {"id", "seller", "listing_id"}}
        found.setdefault(row["listing_id"], []).append(link)
    return found


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    """Write a column's value for JSON; a shop's own columns may hold anything."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat()
    if isinstance(value, date | Decimal):
        return str(value)
    if value is None or isinstance(value, str | int | float | bool | dict | list):
        return value
    raise StorageFailed(
        f"a column of listings holds {type(value).__name__}, which an archive cannot hold",
        hint="nothing was purged; back that column up yourself, and take it out first",
        code="cannot_archive",
    )


def insert_archived(
    session: AlchemySession, lines: Iterable[Mapping[str, Any]], *, seller: str, run_key: int
) -> list[int]:
    """Put archived listings back with their history and links; return their ids.

    What the database holds already is left alone.
    """
    connection = session.alchemy
    table = _reflect_listings(connection)
    run_keys = _RunKeys(connection)
    restored: list[int] = []
    for line in lines:
        if line["type"] == "run":
            run_keys.archived[line["run"]["run_id"]] = line["run"]
        elif line["type"] == "listing":
            listing_id = line["row"]["listing_id"]
            if load_present(session, seller, [int(listing_id)]):
                continue
            _insert_row(connection, table, line["row"])
            _insert_links(connection, line, seller)
            key = {"seller": seller, "listing_id": listing_id}
            history = [
                {**key, "sync_run_id": run_keys.find(c["run_id"]), **_kind_and_fields(c)}
                for c in line["changes"]
            ]
            history.append({**key, "sync_run_id": run_key, "kind": "restored", "fields": None})
            connection.execute(insert(listing_changes), history)
            forget_purged(session, seller, listing_id)
            restored.append(int(listing_id))
    return restored


def _kind_and_fields(change: Mapping[str, Any]) -> Line:
    return {"kind": change["kind"], "fields": change["fields"]}


class _RunKeys:
    """Finds the runs that archived history refers to; a missing run is put back, too."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._keys: dict[str, int] = {}
        self.archived: dict[str, Mapping[str, Any]] = {}

    def find(self, run_id: str) -> int:
        if run_id not in self._keys:
            wanted = select(sync_runs.c.id).where(sync_runs.c.run_id == run_id)
            key = self._connection.execute(wanted).scalar()
            self._keys[run_id] = key if key is not None else self._insert(run_id)
        return self._keys[run_id]

    def _insert(self, run_id: str) -> int:
        run = _typed(sync_runs, self.archived[run_id])
        key = self._connection.execute(insert(sync_runs).values(run)).inserted_primary_key
        assert key is not None  # noqa: S101 - an insert of one row gives it
        return int(key[0])


def _insert_row(connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
    values = _typed(table, {name: value for name, value in row.items() if name in table.c})
    if connection.execute(select(table.c.id).where(table.c.id == values["id"])).first():
        del values["id"]  # somebody else has that key by now
    for key, target in _TARGETS.values():
        if values.get(key) is not None and not _exists(connection, target, values[key]):
            values[key] = None  # another database's artist or label
    connection.execute(insert(table).values(values))


def _insert_links(connection: Connection, line: Mapping[str, Any], seller: str) -> None:
    for name, table in _LINKS.items():
        key, target = _TARGETS[name]
        own = {"seller": seller, "listing_id": line["row"]["listing_id"]}
        links = [{**own, **link} for link in line[name] if _exists(connection, target, link[key])]
        if links:
            connection.execute(insert(table), links)


def _exists(connection: Connection, target: Table, uuid: str) -> bool:
    return (
        connection.execute(select(target.c.uuid).where(target.c.uuid == uuid)).first() is not None
    )


def _typed(table: Table, row: Mapping[str, Any]) -> Line:
    """Bring an archived row's values back into the types of the columns."""
    return {name: _value(table.c[name], value) for name, value in row.items()}


def _value(column: Column[Any], value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    if not isinstance(value, str):
        return value
    if isinstance(column.type, UtcDateTime):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    kind = column.type.python_type
    if issubclass(kind, datetime):
        return datetime.fromisoformat(value)
    if issubclass(kind, date):
        return date.fromisoformat(value)
    return Decimal(value) if issubclass(kind, Decimal) else value
