"""What a plan reads of a seller's listings; what nobody can read is named."""

from collections.abc import Callable

import pytest

from discosync.core.planning.known import IS_ACTIVE, IS_INCOMPLETE, IS_PURGED
from discosync.database.connection.engine import Database
from discosync.database.rows.known import load_known, load_rows
from discosync.errors import StorageFailed


def test_flags_say_active_incomplete_and_purged(
    filled: Database, insert_listing: Callable[..., None], insert_run: Callable[..., None]
) -> None:
    """A row lacks what only the pages show; a purged listing that came back is no purged one."""
    insert_listing("1", release_year=1999, image_uri="x")
    insert_listing("2", is_active=False)
    insert_run("a")
    with filled.session(writes=True) as session:
        key = session.value("SELECT id FROM sync_runs")
        for listing_id in ("1", "3"):
            row = {"seller": "velvet", "listing_id": listing_id, "archive": "x"}
            session.insert("purged_listings", sync_run_id=key, **row)

    with filled.session() as session:
        known = load_known(session, "velvet")

    assert list(zip(known.ids, known.flags, strict=True)) == [
        (1, IS_ACTIVE),
        (2, IS_INCOMPLETE),
        (3, IS_PURGED),
    ]


@pytest.mark.parametrize("listing_id", ["007", "1e3", " 1", "-1", "9" * 19])
def test_row_with_another_kind_of_id_is_named(
    filled: Database, insert_listing: Callable[..., None], listing_id: str
) -> None:
    """Rows are found by the text of their id: in another form it would be a second listing."""
    insert_listing(listing_id)

    with filled.session() as session, pytest.raises(StorageFailed) as told:
        load_known(session, "velvet")
    assert told.value.code == "bad_row"
    assert repr(listing_id) in told.value.message


def test_rows_are_loaded_of_one_seller_only(
    filled: Database, insert_listing: Callable[..., None]
) -> None:
    """The same number at another seller is another listing, and unknown numbers give nothing."""
    insert_listing("1", price_value=12.5, comments="mine")
    insert_listing("1", seller="other", comments="not mine")

    with filled.session() as session:
        rows = list(load_rows(session, "velvet", [1, 2]))

    assert [(row.listing_id, row.value("comments")) for row in rows] == [(1, "mine")]
    assert str(rows[0].value("price_value")) == "12.50"
