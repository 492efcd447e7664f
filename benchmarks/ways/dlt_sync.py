"""dlt: merge an Arrow table by primary key, then delete what the last load did not bring."""

import os
from urllib.parse import parse_qs, quote, urlsplit

import dlt
from dlt.destinations.impl.postgres.configuration import PostgresCredentials
from pyarrow import csv as arrow_csv
from pyarrow import float64, int64, string, timestamp

from benchmarks.ways.shop_table import COLUMNS, INDEXES, INTEGERS, arguments, is_sqlite

_TYPES = {
    **dict.fromkeys(COLUMNS, string()),
    **dict.fromkeys(INTEGERS, int64()),
    "price": float64(),
    "listed": timestamp("us"),
}


def main() -> None:
    """Sync once; dlt keeps its working files in the current directory, as between two hours."""
    path, url = arguments()
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["RUNTIME__LOG_LEVEL"] = "ERROR"
    os.environ["NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID"] = "true"
    destination = (
        dlt.destinations.sqlalchemy(credentials=url, create_primary_keys=True)
        if is_sqlite(url)
        else dlt.destinations.postgres(credentials=_credentials(url))
    )
    pipeline = dlt.pipeline(
        "shop",
        pipelines_dir=os.path.abspath("dlt"),  # noqa: PTH100 - dlt wants text
        destination=destination,
        dataset_name="main" if is_sqlite(url) else "public",
    )
    table = arrow_csv.read_csv(
        path,
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(column_types=_TYPES),
    )
    pipeline.run(
        table,
        table_name="listings",
        write_disposition={"disposition": "merge", "strategy": "delete-insert"},
        primary_key="listing_id",
    ).raise_on_failed_jobs()
    _finish(pipeline)


def _credentials(url: str) -> PostgresCredentials:
    """Read an address as libpq does: the socket's directory may stand in the query."""
    parts = urlsplit(url)
    credentials = PostgresCredentials()
    credentials.username = parts.username or ""
    credentials.password = parts.password or "none"  # dlt wants one
    host = parts.hostname or parse_qs(parts.query).get("host", ["localhost"])[0]
    credentials.host = quote(host, safe="")
    credentials.port = parts.port or 5432
    credentials.database = parts.path.removeprefix("/")
    return credentials


def _finish(pipeline: dlt.Pipeline) -> None:
    with pipeline.sql_client() as client, client.begin_transaction():
        client.execute_sql(
            "DELETE FROM listings WHERE _dlt_load_id <> (SELECT load_id FROM _dlt_loads "
            "ORDER BY inserted_at DESC, load_id DESC LIMIT 1)"
        )
        key = "CREATE UNIQUE INDEX IF NOT EXISTS ix_listings_key ON listings (listing_id)"
        for statement in (key, *INDEXES):
            client.execute_sql(statement)


if __name__ == "__main__":
    main()
