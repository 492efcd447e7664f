"""The inventory of a past moment, in the form of an export."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from discosync.core.inventory.columns import EXPORT_COLUMNS, FIELD_BY_COLUMN, PAST_COLUMNS
from discosync.render.past_csv import render_past_csv
from discosync.render.past_inventory import past_row


def _listing(**fields: Any) -> dict[str, Any]:
    empty = dict.fromkeys(FIELD_BY_COLUMN.get(column, column) for column in PAST_COLUMNS)
    return {**empty, "listing_id": 7, **fields}


def _read(listings: Iterator[dict[str, Any]]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(render_past_csv(listings)))))


def test_columns_are_those_of_an_export_and_the_currency() -> None:
    """`sync --from-file` reads it as it reads a file of Discogs'."""
    head = next(render_past_csv([])).strip().split(",")
    assert head == [*EXPORT_COLUMNS, "currency"]


def test_times_and_switches_are_written_as_discogs_writes_them() -> None:
    """Summer and winter time of the US Pacific coast; Y, N, or nothing where it is unknown."""
    accepts, listed = (FIELD_BY_COLUMN.get(c, c) for c in ("accept_offer", "listed"))
    rows = _read(
        iter(
            [
                _listing(**{accepts: True, listed: "2026-08-25T14:04:23Z"}),
                _listing(**{accepts: False, listed: "2026-01-15T15:04:23Z"}),
                _listing(),
            ]
        )
    )
    assert [row["accept_offer"] for row in rows] == ["Y", "N", ""]
    assert [row["listed"] for row in rows] == ["2026-08-25 07:04:23", "2026-01-15 07:04:23", ""]


def test_long_inventory_comes_in_pieces() -> None:
    """It is never one text in memory, and no piece is lost."""
    pieces = list(render_past_csv(_listing(comments="x" * 1000) for _ in range(200)))
    assert 2 < len(pieces) < 200
    assert "".join(pieces).count("x" * 1000) == 200


def test_row_for_people_has_a_price_with_its_currency() -> None:
    """A listing without a price has a dash."""
    listing = {
        "listing_id": 7,
        "status": "For Sale",
        "price_value": "12.5",
        "price_currency": "EUR",
        "condition": None,
        "artist_names": "The Hollow",
        "release_title": "Plain Tides",
    }
    assert past_row(listing) == ("7", "For Sale", "12.50 EUR", "–", "The Hollow – Plain Tides")
    assert past_row({**listing, "price_value": None})[2] == "–"
