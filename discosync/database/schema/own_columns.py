"""The columns that an old shop already has under names of ours: which of them can hold our values.

One that can stays where it is, and its indexes and views with it. Any other keeps its values under
another name (see `own_names`).
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import inspect

from discosync.database.connection.alchemy import AlchemySession

ADDED = (
    "content_hash", "is_active", "removed_at", "removal_reason", "sold_at", "seller", "quantity",
    "accept_offer", "artist_id", "label_id",
)  # fmt: skip
"""The columns that discosync adds to the old shop's table."""

_TEXTS = ("content_hash", "removal_reason")
_YES_NO = ("is_active", "accept_offer")
_MOMENTS = ("removed_at", "sold_at")
_LENGTHS = {"content_hash": 64, "removal_reason": 20}
# `seller` may mean anything there; `artist_id` and `label_id` point to tables of the shop's own.
_MAY_STAY = {*_TEXTS, *_YES_NO, *_MOMENTS, "quantity"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnColumn:
    """A column of the shop's own with a name of ours: its type, and whether it stays in place."""

    name: str
    type: str
    stays: bool


def find_own_columns(session: AlchemySession) -> list[OwnColumn]:
    """Find the shop's columns that have names of ours."""
    described = _describe_sqlite if session.is_sqlite else _describe_postgres
    bound = set(_bound_columns(session))
    fits = _fits_sqlite if session.is_sqlite else _fits_postgres
    return [
        OwnColumn(
            name=name,
            type=declared,
            stays=name in _MAY_STAY
            and not is_generated
            and name not in bound
            and fits(name, declared),
        )
        for name, declared, is_generated in described(session)
        if name in ADDED
    ]


def _describe_sqlite(session: AlchemySession) -> Iterator[tuple[str, str, bool]]:
    for row in session.execute("PRAGMA table_xinfo(listings)").fetchall():
        yield row[1], row[2] or "", row[6] in (2, 3)


def _describe_postgres(session: AlchemySession) -> Iterator[tuple[str, str, bool]]:
    yield from session.execute(
        "SELECT attname, format_type(atttypid, atttypmod), attgenerated <> '' FROM pg_attribute "
        "WHERE attrelid = 'listings'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
    ).fetchall()


def _fits_postgres(name: str, declared: str) -> bool:
    if name in _TEXTS:
        length = re.fullmatch(r"character varying\((\d+)\)", declared)
        if length is not None:
            return int(length[1]) >= _LENGTHS[name]
        return declared in {"text", "character varying"}
    if name in _YES_NO:
        return declared == "boolean"
    if name in _MOMENTS:
        return declared == "timestamp without time zone"
    return declared in {"integer", "bigint"}


def _fits_sqlite(name: str, declared: str) -> bool:
    # A column of SQLite holds anything, but its affinity may turn 1 into '1', or text into numbers.
    affinity = _affinity(declared.upper())
    if name in _TEXTS:
        return affinity in {"TEXT", "BLOB"}
    if name in _MOMENTS:
        return affinity in {"TEXT", "NUMERIC", "BLOB"}
    return affinity in {"INTEGER", "NUMERIC", "BLOB"}


_AFFINITIES: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("INTEGER", lambda declared: "INT" in declared),
    ("TEXT", lambda declared: any(word in declared for word in ("CHAR", "CLOB", "TEXT"))),
    ("BLOB", lambda declared: not declared or "BLOB" in declared),
    ("REAL", lambda declared: any(word in declared for word in ("REAL", "FLOA", "DOUB"))),
)


def _affinity(declared: str) -> str:
    """Give the affinity of a declared type, by the five rules of SQLite's manual."""
    return next((name for name, matches in _AFFINITIES if matches(declared)), "NUMERIC")


def _bound_columns(session: AlchemySession) -> Iterator[str]:
    """Name the columns whose values something of the shop's restricts: a check, or uniqueness."""
    found = inspect(session.alchemy)
    for check in found.get_check_constraints("listings"):
        for name in _MAY_STAY:
            # SQLAlchemy itself used to write this check beside a column of truth values.
            if name not in _YES_NO and re.search(rf"\b{name}\b", str(check["sqltext"])):
                yield name
    for constraint in found.get_unique_constraints("listings"):
        yield from constraint["column_names"]
    for index in found.get_indexes("listings"):
        if index["unique"]:
            yield from (name for name in index["column_names"] if name is not None)
