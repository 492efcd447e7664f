"""The table that the alternatives keep: the export's columns, the shop's indexes.

All but the old shop's way and dlt, which bring tables of their own, use it as it is.
"""

import sys
from typing import Final

COLUMNS: Final = (
    "listing_id",
    "artist",
    "title",
    "label",
    "catno",
    "format",
    "release_id",
    "status",
    "price",
    "listed",
    "comments",
    "media_condition",
    "sleeve_condition",
    "accept_offer",
    "external_id",
    "weight",
    "format_quantity",
    "location",
    "quantity",
)
INTEGERS: Final = frozenset({"listing_id", "release_id", "weight", "format_quantity", "quantity"})
INDEXED: Final = ("status", "release_id")

INDEXES: Final = tuple(
    f"CREATE INDEX IF NOT EXISTS ix_listings_{name} ON listings ({name})" for name in INDEXED
)


def is_sqlite(url: str) -> bool:
    """Tell SQLite's address from Postgres'."""
    return url.startswith("sqlite:///")


def sqlite_path(url: str) -> str:
    """Give the file that `sqlite:///…` names."""
    return url.removeprefix("sqlite:///")


def arguments() -> tuple[str, str]:
    """Give the export's path and the database's address, as every way is called."""
    path, url = sys.argv[1:]
    return path, url


def schema(url: str) -> tuple[str, ...]:
    """Give the statements that make the table and its indexes, when they are not there."""
    return (f"CREATE TABLE IF NOT EXISTS listings ({_definitions(url)})", *INDEXES)


def _definitions(url: str) -> str:
    return ", ".join(f"{name} {_type(name, url)}" for name in COLUMNS)


def _type(name: str, url: str) -> str:
    whole = "INTEGER" if is_sqlite(url) else "BIGINT"
    if name == "listing_id":
        return f"{whole} PRIMARY KEY"
    if name in INTEGERS:
        return whole
    if name == "price":
        return "REAL" if is_sqlite(url) else "NUMERIC(12, 2)"
    if name == "listed":
        return "TEXT" if is_sqlite(url) else "TIMESTAMP"
    return "TEXT"
