"""A limit, not a way: read the export with the standard library and keep nothing."""

import csv

from benchmarks.ways.shop_table import arguments


def main() -> None:
    """Read once."""
    path, _ = arguments()
    with open(path, encoding="utf-8", newline="") as file:  # noqa: PTH123 - start-up counts
        for _ in csv.reader(file):
            pass


if __name__ == "__main__":
    main()
