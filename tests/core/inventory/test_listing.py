"""The canonical form and the content hash."""

from dataclasses import fields
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discosync.core.inventory.listing import (
    CONTENT_FIELDS,
    EXTRA_FIELDS,
    Listing,
    canonical,
    content_hash,
    overlay,
    removal_reason,
)
from tests.support.shop import NOON, make_listing

SAME = [
    ("comments", "it&#39;s &quot;fine&quot;", 'it\'s "fine"'),
    ("comments", "  spaces around \t", "spaces around"),
    ("comments", "line\r\nline", "line\nline"),
    ("release_title", "Cafe\u0301", "Café"),
    ("format_names", '(12", EP)', '12", EP'),
    ("price_value", Decimal("100.00"), Decimal("100.0")),
    ("weight", Decimal("100.0"), Decimal(100)),
    ("weight", Decimal("1E+2"), Decimal(100)),
    ("comments", "", None),
]


@pytest.mark.parametrize(("field", "one", "other"), SAME)
def test_mere_form_is_no_difference(field: str, one: object, other: object) -> None:
    """Entities, composition, space, zeros and parentheses do not make another listing."""
    first, second = (make_listing(0, **{field: value}) for value in (one, other))
    assert content_hash(first) == content_hash(second)


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
    assert content_hash(make_listing()) == "1:98217e8f85c71204300a700391089ac7"


@given(st.text())
def test_canonical_text_is_stable(text: str) -> None:
    """Bringing a canonical text into canonical form again changes nothing but further entities."""
    once = canonical("label_names", text.replace("&", ""))
    assert canonical("label_names", once) == once


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
