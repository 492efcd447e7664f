"""Thinning a month keeps what a listing was when the month began, when it ended, and each turn."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from discosync.database.connection.engine import Database
from discosync.database.past.checkpoints import load_stretch, replace_checkpoints
from discosync.database.past.thinning import (
    give_space_back,
    load_history_size,
    load_months_to_thin,
    plan_thinning,
    thin_month,
)

MARCH = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def runs(filled: Database, insert_run: Callable[..., None]) -> list[int]:
    """Three runs in January and one in March; each makes listing 1 a euro dearer."""
    for day in ("2026-01-05", "2026-01-06", "2026-01-07", "2026-03-05"):
        insert_run(day, started_at=f"{day} 10:00:00.000000")
    with filled.session(writes=True) as session:
        keys = [row[0] for row in session.execute("SELECT id FROM sync_runs ORDER BY id")]
        for euros, key in enumerate(keys):
            fields = json.dumps({"price_value": [f"{euros}.00", f"{euros + 1}.00"]})
            row = {"listing_id": "1", "kind": "updated", "fields": fields}
            session.insert("listing_changes", sync_run_id=key, seller="velvet", **row)
    return keys


def test_month_that_has_not_ended_by_the_cutoff_is_left_alone(
    filled: Database, runs: list[int]
) -> None:
    """A month is thinned once: its checkpoint says that it was."""
    with filled.session(writes=True) as session:
        (month,) = load_months_to_thin(session, "velvet", MARCH)
        assert (month.period, month.first_run, month.last_run) == ((2026, 1), runs[0], runs[2])
        assert load_months_to_thin(session, "velvet", datetime(2026, 1, 31, tzinfo=UTC)) == []
        replace_checkpoints(session, "velvet", [month])
        assert load_months_to_thin(session, "velvet", MARCH) == []


def test_prices_within_a_month_become_one_change(filled: Database, runs: list[int]) -> None:
    """The plan says how many rows are left, and what the month began with is still known."""
    with filled.session(writes=True) as session:
        (month,) = load_months_to_thin(session, "velvet", MARCH)
        before = load_stretch(session, "velvet", runs[0], runs[3]).pack()
        planned = plan_thinning(session, "velvet", month)
        assert load_history_size(session)[0] == 4

        assert thin_month(session, "velvet", month).rows_after == planned.rows_after == 1

        assert load_history_size(session)[0] == 2
        assert load_stretch(session, "velvet", runs[0], runs[3]).pack() == before


def test_space_is_given_back_outside_of_a_transaction(filled: Database, runs: list[int]) -> None:
    """Both databases do it; what prevents it would be told, not raised."""
    assert runs
    assert give_space_back(filled) is None
