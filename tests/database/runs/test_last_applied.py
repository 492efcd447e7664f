"""What earlier snapshots of a seller left for the next one."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

from discosync.database.connection.engine import Database
from discosync.database.runs.last_applied import LastApplied, load_last_applied


def _report(**snapshot: object) -> str:
    return json.dumps({"snapshot": snapshot})


def test_nothing_is_known_of_a_new_seller(filled: Database) -> None:
    """Neither a moment nor a currency nor columns."""
    with filled.session() as session:
        assert load_last_applied(session, "velvet") == LastApplied()


def test_each_value_is_of_the_newest_run_that_has_it(
    filled: Database, insert_run: Callable[..., None]
) -> None:
    """Pages have no columns and may be newer; the snapshot's moment is the latest of all."""
    noon, ten = "2026-03-01 12:00:00.000000", "2026-03-01 10:00:00.000000"
    exported = _report(currency="EUR", columns=["listing_id", "weight"], ready_seconds=33.0)
    insert_run("a", snapshot_as_of=noon, report=exported)
    insert_run("b", snapshot_as_of=ten, source="pages", report=_report(currency="USD"))
    insert_run("c", source="pages", report="{}")

    with filled.session() as session:
        last = load_last_applied(session, "velvet")

    assert last == LastApplied(
        as_of=datetime(2026, 3, 1, 12, tzinfo=UTC),
        currency="USD",
        columns=("listing_id", "weight"),
        ready_seconds=33.0,
        synced_at=datetime(2026, 3, 1, 10, tzinfo=UTC),
        source="pages",
    )


def test_currency_of_an_adopted_shop_is_that_of_what_is_for_sale(
    filled: Database, insert_listing: Callable[..., None]
) -> None:
    """Without a run the rows say it; sold rows keep the currency they were sold in."""
    insert_listing("1", price_currency="DEM", is_active=False)
    insert_listing("2", price_currency="EUR")

    with filled.session() as session:
        assert load_last_applied(session, "velvet").currency == "EUR"
