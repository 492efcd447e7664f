"""What the figures of `stats` are made of."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

from discosync.database.connection.engine import Database
from discosync.database.past.stats import load_purged_count, load_run_figures, load_stat_rows


def test_listing_is_listed_since_the_earlier_of_two_moments(
    filled: Database, insert_listing: Callable[..., None]
) -> None:
    """Discogs' moment may be that of an edit: then the row was seen before it."""
    posted, seen = "2026-03-02 10:00:00.000000", "2026-03-01 10:00:00.000000"
    insert_listing("1", posted=posted, created_at=seen)
    insert_listing("2", created_at=seen)

    with filled.session() as session:
        rows = list(load_stat_rows(session, "velvet"))

    assert [row.listed_at for row in rows] == [datetime(2026, 3, 1, 10, tzinfo=UTC)] * 2


def test_unsold_listing_was_offered_only_if_the_history_shows_its_removal(
    filled: Database, insert_listing: Callable[..., None], insert_run: Callable[..., None]
) -> None:
    """A draft of the first load was never for sale; another seller's removal proves nothing."""
    insert_listing("1", price_value=0.1, price_currency="EUR")
    for listing_id, reason in (("2", "sold"), ("3", "draft"), ("4", "draft")):
        insert_listing(listing_id, is_active=False, removal_reason=reason)
    insert_run("a")
    with filled.session(writes=True) as session:
        key = session.value("SELECT id FROM sync_runs")
        for seller, listing_id in (("velvet", "4"), ("other", "3")):
            row = {"seller": seller, "listing_id": listing_id, "kind": "removed"}
            session.insert("listing_changes", sync_run_id=key, **row)

    with filled.session() as session:
        statement = "SELECT listing_id FROM listings"
        order = [row[0] for row in session.execute(statement)]
        rows = dict(zip(order, load_stat_rows(session, "velvet"), strict=True))

    assert {i: row.was_offered for i, row in rows.items()} == {
        "1": True,
        "2": True,
        "3": False,
        "4": True,
    }
    assert rows["1"].price == Decimal("0.10")


def test_run_without_figures_has_no_point(
    filled: Database, insert_run: Callable[..., None]
) -> None:
    """A point is dated by what the snapshot shows; what is no object counts as nothing."""
    value = '{"EUR": {"listings": 1, "value": "2.00"}}'
    shown = "2026-03-01 08:00:00.000000"
    insert_run("a")
    insert_run(
        "b", report=f'{{"inventory_value": {value}, "price_changes": 7}}', snapshot_as_of=shown
    )

    with filled.session() as session:
        (point,) = load_run_figures(session, "velvet")

    assert point[0] == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert tuple(point[1:]) == ({"EUR": {"listings": 1, "value": "2.00"}}, {})


def test_purged_listings_are_counted_for_their_seller(
    filled: Database, insert_run: Callable[..., None]
) -> None:
    """They are in no other figure."""
    insert_run("a")
    with filled.session(writes=True) as session:
        key = session.value("SELECT id FROM sync_runs")
        for seller in ("velvet", "other"):
            row = {"seller": seller, "listing_id": "1", "archive": "x"}
            session.insert("purged_listings", sync_run_id=key, **row)
        assert load_purged_count(session, "velvet") == 1
