"""Put aside what an old shop has under names that discosync needs, and give it back.

A table, a column or an index gets another name, `old_…`. The table `old_shop_names` says which; it
is there only in a database that needed it, and `db downgrade base` gives every name back.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import inspect

from discosync.database.connection.alchemy import AlchemySession
from discosync.database.connection.session import Session
from discosync.database.connection.values import render_stamp
from discosync.database.schema.own_columns import OwnColumn
from discosync.database.schema.tables import metadata

MARKER = "old_shop_names"
OWN_TABLES = ("artists", "labels", "alembic_version")
"""Tables that a shop may have of its own; any other one with a name of ours is an obstacle."""

_VERSIONS = "alembic_version"
_MADE_BY_THE_SHOP = {"pk_listings", "ix_listings_listing_id"}
_INDEX = re.compile(
    r'(CREATE\s+(?:UNIQUE\s+)?INDEX\s+)(?:IF\s+NOT\s+EXISTS\s+)?("[^"]+"|`[^`]+`|\[[^\]]+\]|\S+)',
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnNames:
    """What was put aside: new names of columns and tables by the old ones, columns in place.

    `columns` names the copy of a column that stays in place, too, if one was needed.
    """

    columns: dict[str, str] = field(default_factory=dict)
    tables: dict[str, str] = field(default_factory=dict)
    indexes: dict[str, str] = field(default_factory=dict)
    staying: frozenset[str] = frozenset()
    adopted_at: str = ""

    def source(self, column: str) -> str | None:
        """Name the column that holds what the shop itself wrote; None if it had no such column."""
        return self.columns.get(column) or (column if column in self.staying else None)


def load_own_names(session: Session) -> OwnNames:
    """Read what was put aside; nothing in a database that was not adopted."""
    if not session.has_table(MARKER):
        return OwnNames()
    rows = session.execute(f"SELECT kind, name, kept_as, adopted_at FROM {MARKER}").fetchall()  # noqa: S608
    kept = {kind: {name: new for k, name, new, _ in rows if k == kind and new} for kind in _KINDS}
    return OwnNames(
        columns={**kept["column"], **kept["in place"]},
        tables=kept["table"],
        indexes=kept["index"],
        staying=frozenset(name for kind, name, _, _ in rows if kind == "in place"),
        adopted_at=rows[0][3] if rows else "",
    )


_KINDS = ("column", "in place", "table", "index")


def set_aside(
    session: AlchemySession, own: Iterable[OwnColumn], *, copied: set[str], now: datetime
) -> OwnNames:
    """Give other names to what is in the way, and note them; copy the columns of `copied`.

    Does nothing for a shop whose names are all its own.
    """
    noted: list[tuple[str, str, str | None]] = []
    held = {column["name"] for column in inspect(session.alchemy).get_columns("listings")}
    for column in own:
        new = _free(f"old_{column.name}", held)
        if not column.stays:
            session.execute(f"ALTER TABLE listings RENAME COLUMN {column.name} TO {new}")
            noted.append(("column", column.name, new))
        elif column.name in copied:
            session.execute(f"ALTER TABLE listings ADD COLUMN {new} {column.type}")
            session.execute(f"UPDATE listings SET {new} = {column.name}")  # noqa: S608 - our own names
            noted.append(("in place", column.name, new))
        else:
            noted.append(("in place", column.name, None))
    tables = set(inspect(session.alchemy).get_table_names())
    for table in sorted(tables.intersection(OWN_TABLES)):
        if table == _VERSIONS and session.value(f"SELECT 1 FROM {_VERSIONS}") is None:  # noqa: S608 - its name
            continue  # a downgrade left it
        new = _free(f"old_{table}", tables)
        session.execute(f"ALTER TABLE {table} RENAME TO {new}")
        noted.append(("table", table, new))
    staying = {name for kind, name, _ in noted if kind == "in place"}
    noted += [("index", old, new) for old, new in _free_indexes(session, staying)]
    if noted:
        _note(session, noted, now)
    return load_own_names(session)


def _note(session: Session, noted: Iterable[tuple[str, str, str | None]], now: datetime) -> None:
    session.execute(
        f"CREATE TABLE {MARKER} (kind TEXT NOT NULL, name TEXT NOT NULL, kept_as TEXT, "
        "adopted_at TEXT NOT NULL, PRIMARY KEY (kind, name))"
    )
    stamp = session.moment(now)
    for kind, name, new in noted:
        session.execute(
            f"INSERT INTO {MARKER} VALUES (:kind, :name, :new, :stamp)",  # noqa: S608 - our own name
            kind=kind,
            name=name,
            new=new,
            stamp=stamp if isinstance(stamp, str) else render_stamp(now.replace(tzinfo=None)),
        )


def _free(name: str, taken: set[str]) -> str:
    """Find a name that is not taken yet, and take it."""
    free, number = name, 2
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    taken.add(free)
    return free


def _free_indexes(session: AlchemySession, staying: set[str]) -> Iterator[tuple[str, str]]:
    """Rename indexes that have names of ours; those on columns in place are ours from now on."""
    ours = _our_indexes() - _MADE_BY_THE_SHOP
    reused = {f"ix_listings_{name}": [name] for name in (*staying, "status", "release_id")}
    columns_by_index = {
        index["name"]: index["column_names"]
        for index in inspect(session.alchemy).get_indexes("listings")
    }
    found = dict(_load_indexes(session))
    if session.has_table(_VERSIONS):
        ours.remove(f"{_VERSIONS}_pkc")
    taken = set(found)
    for name in sorted(ours.intersection(found)):
        if name in reused and columns_by_index.get(name) == reused[name]:
            continue
        new = _free(f"old_{name}", taken)
        _rename_index(session, name, new)
        yield name, new


def _our_indexes() -> set[str]:
    names = {f"{_VERSIONS}_pkc"}
    for table in metadata.tables.values():
        names |= {str(index.name) for index in table.indexes}
        names |= {str(constraint.name) for constraint in table.constraints if constraint.name}
    return names


def _load_indexes(session: Session) -> list[tuple[str, str]]:
    """Load the names of all indexes and how they were made; SQLite's without a name are left."""
    if session.is_sqlite:
        statement = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    else:
        statement = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()"
    return [tuple(row) for row in session.execute(statement).fetchall()]


def _rename_index(session: Session, name: str, new: str) -> None:
    if not session.is_sqlite:
        session.execute(f'ALTER INDEX "{name}" RENAME TO "{new}"')
        return
    # SQLite renames no index.
    made = dict(_load_indexes(session))[name]
    session.execute(f'DROP INDEX "{name}"')
    session.execute(_INDEX.sub(rf'\1"{new}"', made, count=1))


def give_back(session: Session) -> None:
    """Give every name back, once the schema is the old shop's again.

    A column that stayed in place gets back what the shop had written where no run has written the
    row since; elsewhere it holds what is true now.
    """
    own = load_own_names(session)
    for name, kept in own.columns.items():
        if name in own.staying:
            session.execute(
                f"UPDATE listings SET {name} = {kept} "  # noqa: S608 - our own names
                f"WHERE updated_at IS NULL OR updated_at < {_moment(session)}",
                adopted_at=own.adopted_at,
            )
            session.execute(f"ALTER TABLE listings DROP COLUMN {kept}")
        else:
            session.execute(f"ALTER TABLE listings RENAME COLUMN {kept} TO {name}")
    for name, kept in own.tables.items():
        session.execute(f"DROP TABLE IF EXISTS {name}")
        session.execute(f"ALTER TABLE {kept} RENAME TO {name}")
    for name, kept in own.indexes.items():
        if kept in dict(_load_indexes(session)):
            _rename_index(session, kept, name)
    session.execute(f"DROP TABLE IF EXISTS {MARKER}")


def _moment(session: Session) -> str:
    return ":adopted_at" if session.is_sqlite else "CAST(:adopted_at AS TIMESTAMP)"
