"""Databases with their schema, for the tests of the rooms that read and write rows."""

from collections.abc import Callable
from typing import Any

import pytest

from discosync.database.connection.engine import Database, open_database
from discosync.database.schema.migrating import upgrade_schema

Insert = Callable[..., None]


@pytest.fixture
def filled(database_url: str) -> Database:
    """A database that has its schema, on SQLite and on Postgres."""
    database = open_database(database_url, read_only=False, application="tests")
    upgrade_schema(database)
    return database


@pytest.fixture
def insert_listing(filled: Database) -> Insert:
    """Write a listing of the seller `velvet`; for sale, unless told otherwise."""

    def insert(listing_id: str, **values: Any) -> None:
        row = {"seller": "velvet", "status": "For Sale", "is_active": True, **values}
        with filled.session(writes=True) as session:
            session.insert("listings", listing_id=listing_id, **row)

    return insert


@pytest.fixture
def insert_run(filled: Database) -> Insert:
    """Write the record of a sync of the seller `velvet`, as it began and ended well."""

    def insert(run_id: str, **values: Any) -> None:
        row = {
            "command": "sync",
            "seller": "velvet",
            "status": "ok",
            "exit_code": 0,
            "source": "export",
            "is_sandbox": False,
            "started_at": "2026-03-01 10:00:00.000000",
            "finished_at": "2026-03-01 10:00:05.000000",
            "report": "{}",
            **values,
        }
        with filled.session(writes=True) as session:
            session.insert("sync_runs", run_id=run_id, **row)

    return insert
