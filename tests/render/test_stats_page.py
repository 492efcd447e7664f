"""The page of figures: whole, and safe to open."""

from datetime import UTC, datetime
from decimal import Decimal

from discosync.core.past.stats import StatRow, compute_stats
from discosync.render.stats_csv import render_stats_csv
from discosync.render.stats_page import render_stats_page

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
MARCH_2 = datetime(2026, 3, 2, tzinfo=UTC)
SOLD = StatRow(
    is_active=False,
    removal_reason="sold",
    removed_at=MARCH_2,
    sold_at=MARCH_2,
    price=Decimal("12.00"),
    currency="EUR",
    primary_format="LP",
    primary_label="Orchard",
    listed_at=SINCE,
)


def test_what_a_seller_wrote_is_escaped() -> None:
    """No name can become markup on the page."""
    row = SOLD._replace(primary_label="<script>alert(1)</script>\n&, x", currency="<b>")
    page = render_stats_page(compute_stats("<i>shop", [row], [], since=SINCE, until=NOW))
    assert "<script" not in page
    assert "<b>" not in page.replace('<div class="figure"><b>', "")
    assert "<i>" not in page
    assert "&lt;script&gt;" in page


def test_an_empty_shop_has_an_empty_page() -> None:
    """A page without figures says so, and its table has a header only."""
    stats = compute_stats("shop", [], [], since=SINCE, until=NOW)
    assert "Nothing was sold" in render_stats_page(stats)
    assert render_stats_csv(stats).startswith("section,group,measure,currency,value\r\n")


def test_listings_that_were_never_for_sale_are_named_apart() -> None:
    """They count as drafts or expired ones, not as unsold ones, and the page says so."""
    draft = SOLD._replace(removal_reason="draft", sold_at=None, was_offered=False)
    page = render_stats_page(compute_stats("shop", [draft], [], since=SINCE, until=NOW))
    assert "1 were never for sale while discosync knew them" in page
