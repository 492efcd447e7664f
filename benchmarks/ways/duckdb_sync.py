"""duckdb reads the export, ADBC brings it into the database, SQL merges it."""

import duckdb

from benchmarks.ways.shop_table import COLUMNS, INTEGERS, arguments
from benchmarks.ways.staged_merge import merge


def main() -> None:
    """Sync once."""
    path, url = arguments()
    types = {
        **dict.fromkeys(COLUMNS, "VARCHAR"),
        **dict.fromkeys(INTEGERS, "BIGINT"),
        "price": "DOUBLE",
        "listed": "TIMESTAMP",
    }
    relation = duckdb.read_csv(
        path, header=True, columns={name: types[name] for name in COLUMNS}, quotechar='"'
    )
    merge(relation.to_arrow_table(), url)


if __name__ == "__main__":
    main()
