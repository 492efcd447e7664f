"""Recall only saves work: with its door shut, hour after hour leaves the same rows and counts."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from discosync.commands.syncing.snapshot_comparison import NoRecall
from discosync.core.inventory.listing import Listing
from tests.support.postgres import Postgres
from tests.support.program import Program
from tests.support.shop import make_listing, make_shop, with_changed, write_export

_ROWS = (
    "SELECT listing_id, status, price_value, comments, is_active, removal_reason, content_hash, "
    "release_year FROM listings ORDER BY listing_id"
)
_HISTORY = "SELECT listing_id, kind, fields FROM listing_changes ORDER BY listing_id, id"
_MOMENTS = {"removed_at", "sold_at"}


def _hours() -> Iterator[list[Listing]]:
    """Let a shop live: nothing happens, prices change, records move, are sold, vanish, return."""
    shop = make_shop(600)
    yield shop
    yield shop
    shop = with_changed(shop, 300, price_value=Decimal("9.99"))
    yield shop
    yield [*shop[300:], *shop[:300]]
    shop = [*shop[:595], *(replace(x, status="Sold") for x in shop[595:]), make_listing(700)]
    yield shop
    yield shop[3:]
    yield shop
    yield with_changed(shop, 10, release_year=1985)


def _load(url: str, statement: str) -> list[dict[str, Any]]:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    try:
        with engine.connect() as connection:
            return [dict(row) for row in connection.execute(text(statement)).mappings()]
    finally:
        engine.dispose()


@pytest.fixture
def other_url(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> str:
    """A second database of the same kind."""
    if database_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path / 'other.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.create_database()


def test_a_sync_without_recall_does_the_same(
    program: Program,
    database_url: str,
    other_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Counts, rows and history are those of a sync that recalls the hour before."""
    program.environment["DISCOGS_TOKEN"] = ""
    for number, shop in enumerate(_hours()):
        path = str(write_export(tmp_path / f"{number}.csv", shop))
        usual = program("sync", "--from-file", path, "--json")
        with monkeypatch.context() as patch:
            patch.setattr(
                "discosync.commands.syncing.planning.SnapshotRecall", lambda *_, **__: NoRecall()
            )
            plain = program("sync", "--from-file", path, "--json", DATABASE_URL=other_url)

        assert usual.exit_code == plain.exit_code == 0, usual.stderr + plain.stderr
        assert usual.counts == plain.counts
        assert _load(database_url, _ROWS) == _load(other_url, _ROWS)
    assert _load(other_url, "SELECT * FROM snapshot_marks") == []
    assert len(_load(database_url, "SELECT * FROM snapshot_marks")) == 1
    assert _changes(database_url) == _changes(other_url)


def _changes(url: str) -> list[tuple[str, str, frozenset[str]]]:
    """Give what the history says, moments apart: the two runs of an hour have one each."""
    return [
        (row["listing_id"], row["kind"], frozenset(str(row["fields"]).split('"')) - _MOMENTS)
        if row["kind"] == "updated"
        else (row["listing_id"], row["kind"], frozenset())
        for row in _load(url, _HISTORY)
    ]
