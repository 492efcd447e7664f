"""From which run on the history has to be undone to see a moment."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from discosync.database.connection.engine import Database
from discosync.database.past.history import (
    load_changes_of_listings,
    load_first_moment,
    load_first_run_after,
    load_states,
    plain_number,
)
from discosync.errors import StorageFailed

TEN = datetime(2026, 3, 1, 10, tzinfo=UTC)


def test_first_run_after_a_moment_goes_by_what_its_snapshot_shows(
    filled: Database, insert_run: Callable[..., None]
) -> None:
    """A run shows its snapshot's moment, not that of its beginning; the edge is not after it."""
    insert_run("a", snapshot_as_of="2026-03-01 08:00:00.000000")
    insert_run("b", snapshot_as_of="2026-03-01 09:00:00.000000")

    with filled.session() as session:
        first, second = (key for (key,) in session.execute("SELECT id FROM sync_runs ORDER BY id"))
        found = [
            load_first_run_after(session, "velvet", TEN - timedelta(hours=hours))
            for hours in (3, 2, 1, 0)
        ]
        assert found == [first, second, None, None]
        assert load_first_moment(session, "velvet") == TEN - timedelta(hours=2)
        assert load_first_moment(session, "other") is None


def test_states_are_written_as_the_history_writes_values(
    filled: Database, insert_listing: Callable[..., None]
) -> None:
    """In the order of numbers, not of their texts; amounts with cents, moments in UTC."""
    insert_listing("10", price_value=5, weight=230, posted="2026-03-01 10:00:00.000000")
    insert_listing("9", release_id="4711", accept_offer=True)

    with filled.session() as session:
        nine, ten = load_states(session, "velvet")

    assert (nine["listing_id"], nine["release_id"], nine["accept_offer"]) == (9, 4711, True)
    assert (ten["price_value"], ten["weight"]) == ("5.00", "230")
    assert ten["posted"] == "2026-03-01T10:00:00Z"


@pytest.mark.parametrize(
    ("number", "text"), [(230.0, "230"), (0.5, "0.5"), (1e-7, "0.0000001"), (100, "100")]
)
def test_number_has_no_exponent_and_no_trailing_zeros(number: float, text: str) -> None:
    """The same number is the same text, whichever database wrote it."""
    assert plain_number(number) == text


def test_change_that_no_run_wrote_is_named(
    filled: Database, insert_run: Callable[..., None]
) -> None:
    """Another program's row stops the command, which says at which listing."""
    insert_run("a")
    with filled.session(writes=True) as session:
        key = session.value("SELECT id FROM sync_runs")
        change = {"seller": "velvet", "listing_id": "7", "kind": "updated", "fields": "[1]"}
        session.insert("listing_changes", sync_run_id=key, **change)

    with filled.session() as session, pytest.raises(StorageFailed, match="listing 7"):
        list(load_changes_of_listings(session, "velvet", [7]))
