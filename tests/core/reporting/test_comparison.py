"""Differences between export and pages are explained by time, or by nothing."""

from dataclasses import replace

from discosync.core.inventory.header import RejectedRecord
from discosync.core.inventory.listing import CONTENT_FIELDS, Listing
from discosync.core.reporting.comparison import (
    Difference,
    Shown,
    Sightings,
    differing_ids,
    digest_shown,
    explain,
)
from tests.support.shop import NOON, make_listing, make_shop

COMMON = frozenset(CONTENT_FIELDS)
ONE = make_listing(1)
DEARER = replace(ONE, price_value=ONE.price_value + 1)


def _shown(*records: Listing | RejectedRecord) -> Shown:
    return digest_shown(records, common=COMMON)


def test_only_what_is_for_sale_is_compared() -> None:
    """Pages show nothing else; a difference of form is none."""
    sold = replace(ONE, status="Sold")
    same = replace(ONE, comments="No. 1, it&#39;s fine", posted=None)
    assert differing_ids(_shown(ONE, make_listing(2, status="Draft")), _shown(same)) == set()
    assert differing_ids(_shown(sold), _shown(ONE)) == {ONE.listing_id}
    assert differing_ids(_shown(DEARER), _shown(ONE)) == {ONE.listing_id}


def test_fields_of_one_side_only_are_not_compared() -> None:
    """A public view shows no location: that is no difference."""
    moved = replace(ONE, location="cellar")
    common = COMMON - {"location"}
    assert digest_shown([moved], common=common) == digest_shown([ONE], common=common)


def test_what_one_side_could_not_read_is_not_judged() -> None:
    """A bad record with a readable id leaves its listing alone, a quite unreadable one none."""
    bad = RejectedRecord(line=2, reason="bad price", listing_id=ONE.listing_id)
    unknown = RejectedRecord(line=3, reason="bad id")
    assert differing_ids(_shown(bad, unknown), _shown(ONE)) == set()
    assert differing_ids(_shown(unknown), _shown(ONE)) == {ONE.listing_id}


def _explain(
    export: Listing | None,
    pages: Listing | None,
    second: Listing | None,
    *,
    has_second: bool = True,
    pages_complete: bool = True,
) -> Difference:
    def by_id(listing: Listing | None) -> dict[int, Listing]:
        return {} if listing is None else {listing.listing_id: listing}

    seen = Sightings(
        export=by_id(export), pages=by_id(pages), second=by_id(second) if has_second else None
    )
    (difference,) = explain(
        {ONE.listing_id}, seen, common=COMMON, second_as_of=NOON, pages_complete=pages_complete
    )
    return difference


def test_change_between_the_exports_explains_a_difference() -> None:
    """It changed its price, appeared or went meanwhile."""
    for export, pages, second in ((ONE, DEARER, DEARER), (None, ONE, ONE), (ONE, None, None)):
        difference = _explain(export, pages, second)
        assert difference.explained_by is not None
        assert "2026-03-02T12:00:00Z" in difference.explained_by


def test_what_both_exports_show_alike_is_not_explained() -> None:
    """Then the pages are wrong, or the export is; so it is without a second export."""
    for has_second in (True, False):
        difference = _explain(ONE, DEARER, ONE, has_second=has_second)
        assert (difference.explained_by, difference.kind) == (None, "differs")
        assert [field.field for field in difference.fields] == ["price_value"]
    assert _explain(None, ONE, None).kind == "only_pages"
    assert _explain(ONE, None, ONE).kind == "only_export"


def test_incomplete_pages_explain_what_they_lack() -> None:
    """But not what they show otherwise."""
    assert _explain(ONE, None, ONE, pages_complete=False).explained_by is not None
    assert _explain(ONE, DEARER, ONE, pages_complete=False).explained_by is None


def test_differences_are_sorted() -> None:
    """By listing, in whatever order they were found."""
    shop = {x.listing_id: x for x in make_shop(5)}
    found = explain(
        set(shop),
        Sightings(export=shop, pages={}, second=None),
        common=COMMON,
        second_as_of=None,
        pages_complete=True,
    )
    assert [difference.listing_id for difference in found] == sorted(shop)
