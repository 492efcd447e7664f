"""Whatever columns a shop had added, and whatever their types: its rows are adopted and kept."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from discosync.core.inventory.listing import HASH_VERSION
from discosync.database.connection.engine import Database, open_database
from discosync.database.schema.migrating import downgrade_schema, upgrade_schema
from tests.support.old_shop import (
    CONTENT_HASH,
    IS_ACTIVE,
    KNEW,
    METADATA,
    QUANTITY,
    REASON,
    REMOVED_AT,
    SOLD_AT,
    OwnColumn,
    Phase,
    make_shop_in_phase,
    old_row,
)
from tests.support.postgres import Postgres
from tests.support.shop import make_shop

ROWS = [old_row(listing) for listing in make_shop(8)]


def _maybe(*kinds: OwnColumn) -> st.SearchStrategy[OwnColumn | None]:
    return st.sampled_from([None, *kinds])


@st.composite
def phases(draw: st.DrawFn) -> Phase:
    """Any subset of the columns that a shop may have, each of any of its types."""
    choices = (
        _maybe(*CONTENT_HASH.values()),
        _maybe(*IS_ACTIVE.values()),
        _maybe(*REMOVED_AT.values()),
        _maybe(*SOLD_AT.values()),
        _maybe(METADATA),
        _maybe(QUANTITY),
        _maybe(REASON),
    )
    columns = [column for choice in choices if (column := draw(choice)) is not None]
    return Phase(
        columns=tuple(draw(st.permutations(columns))),
        artists=draw(st.sampled_from([None, "uuid", "number"])),
        has_alembic=draw(st.booleans()),
    )


def _rows(database: Database, phase: Phase) -> list[tuple[Any, ...]]:
    shown = ", ".join(["id", "listing_id", *phase.own_names])
    with database.session() as session:
        return [tuple(r) for r in session.execute(f"SELECT {shown} FROM listings ORDER BY id")]


def _check(url: str, phase: Phase) -> None:
    make_shop_in_phase(url, ROWS, phase)
    database = open_database(url, read_only=False, application="tests")
    before = _rows(database, phase)

    upgraded = upgrade_schema(database, seller="velvet")

    assert upgraded.adopted is not None
    names = set(phase.own_names)
    known = {
        n
        for n, knew in KNEW.items()
        if "is_active" in names
        or (knew == "gone" and "removed_at" in names)
        or (knew == "sold" and "sold_at" in names)
    }
    assert upgraded.adopted.active == len(ROWS) - len(known)
    with database.session() as session:
        rows = session.execute("SELECT is_active, content_hash, seller FROM listings ORDER BY id")
        found = rows.fetchall()
    assert [n for n, row in enumerate(found) if not row[0]] == sorted(known)
    assert all(content_hash.startswith(f"{HASH_VERSION}:") for _, content_hash, _ in found)
    assert {seller for _, _, seller in found} == {"velvet"}
    downgrade_schema(database, "base")
    assert _rows(database, phase) == before


@settings(max_examples=12)
@given(phase=phases())
def test_any_columns_are_adopted_and_given_back_on_sqlite(phase: Phase) -> None:
    """Rows, what the shop knew, and the way back, for any of its columns of any types."""
    with TemporaryDirectory() as name:
        _check(f"sqlite:///{Path(name) / 'shop.db'}", phase)


def test_any_columns_are_adopted_and_given_back_on_postgres(postgres: Postgres) -> None:
    """The same there."""

    @settings(max_examples=4)
    @given(phase=phases())
    def check(phase: Phase) -> None:
        _check(postgres.create_database(), phase)

    check()
