"""The canonical form and the content hash."""

from dataclasses import fields

import pytest

from discosync.core.inventory.listing import (
    CONTENT_FIELDS,
    EXTRA_FIELDS,
    Listing,
    content_hash,
    overlay,
    removal_reason,
)
from tests.support.shop import NOON, make_listing


@pytest.mark.parametrize("field", CONTENT_FIELDS)
def test_every_content_field_counts(field: str) -> None:
    """Another value in any field that both sources show is another content."""
    listing = make_listing()
    value = getattr(listing, field)
    other = not value if isinstance(value, bool) else f"{value}x" if isinstance(value, str) else 7
    assert content_hash(make_listing(0, **{field: other})) != content_hash(listing)


@pytest.mark.parametrize("field", EXTRA_FIELDS)
def test_no_extra_counts(field: str) -> None:
    """What one source does not show, or what moves by itself, is not in the hash."""
    listing = make_listing()
    assert content_hash(make_listing(0, **{field: None})) == content_hash(listing)


def test_every_field_is_content_or_extra() -> None:
    """A new field of a listing has to be given a meaning."""
    names = {field.name for field in fields(Listing)}
    assert names == {"listing_id", *CONTENT_FIELDS, *EXTRA_FIELDS}


def test_hash_is_pinned() -> None:
    """Another hash of the same listing re-hashes every user's rows: it needs a new version."""
    assert content_hash(make_listing()) == "2:3c48295829fd283f6fac5cd7b78d2537"


def test_neighbouring_fields_do_not_run_together() -> None:
    """Moving a word from one field to the next is a change."""
    one = make_listing(external_id="ab", location="c")
    other = make_listing(external_id="a", location="bc")
    assert content_hash(one) != content_hash(other)


def test_overlay_takes_only_what_is_unseen() -> None:
    """What the source cannot see comes from the database, what it sees does not."""
    known = {field: getattr(make_listing(location="known"), field) for field in CONTENT_FIELDS}
    shown = make_listing(location=None, comments="new")
    merged = overlay(shown, known, sees=frozenset(CONTENT_FIELDS) - {"location"})
    assert (merged.location, merged.comments) == ("known", "new")


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("Sold", "sold"),
        ("Draft", "draft"),
        ("Expired", "expired"),
        ("Violation", "violation"),
        ("Suspended", "violation"),
        ("Deleted", "missing"),
        ("Something new", "missing"),
    ],
)
def test_reason_of_each_status(status: str, reason: str) -> None:
    """Every status that is not For Sale has one of the five reasons of `removal_reason`."""
    assert removal_reason(status) == reason


def test_heading_is_for_people() -> None:
    """A heading shows characters, not entities."""
    assert make_listing(artist_names="A &amp; B", posted=NOON).heading == "A & B – Plain Tides"
