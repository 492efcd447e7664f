"""polars reads the export, ADBC brings it into the database, SQL merges it."""

import polars as pl

from benchmarks.ways.shop_table import COLUMNS, INTEGERS, arguments
from benchmarks.ways.staged_merge import merge


def main() -> None:
    """Sync once."""
    path, url = arguments()
    types = {
        **dict.fromkeys(COLUMNS, pl.String),
        **dict.fromkeys(INTEGERS, pl.Int64),
        "price": pl.Float64,
        "listed": pl.Datetime,
    }
    frame = pl.read_csv(path, schema={name: types[name] for name in COLUMNS})
    merge(frame.to_arrow(), url)


if __name__ == "__main__":
    main()
