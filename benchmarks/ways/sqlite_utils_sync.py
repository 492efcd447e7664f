"""sqlite-utils' Python API: upsert the export's rows, then delete what it no longer shows."""

import csv
from collections.abc import Iterator

import sqlite_utils

from benchmarks.ways.shop_table import INDEXED, INTEGERS, arguments, sqlite_path

_TYPES = {**dict.fromkeys(INTEGERS, int), "price": float}


def main() -> None:
    """Sync once."""
    path, url = arguments()
    database = sqlite_utils.Database(sqlite_path(url))
    database.enable_wal()
    listings = database.table("listings")
    seen = database.table("seen")
    with database.conn:
        listings.upsert_all(_rows(path), pk="listing_id", columns=_TYPES)
        for name in INDEXED:
            listings.create_index([name], if_not_exists=True)
        ids = ({"listing_id": row["listing_id"]} for row in _rows(path))
        seen.insert_all(ids, pk="listing_id", truncate=True)
        listings.delete_where("listing_id NOT IN (SELECT listing_id FROM seen)")
        seen.drop()
    database.close()


def _rows(path: str) -> Iterator[dict[str, object]]:
    with open(path, encoding="utf-8", newline="") as file:  # noqa: PTH123 - start-up counts
        for row in csv.DictReader(file):
            yield {name: _TYPES.get(name, str)(text) for name, text in row.items()}


if __name__ == "__main__":
    main()
