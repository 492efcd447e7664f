"""The canonical form: what is mere form, and what says something."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discosync.core.inventory.listing import canonical, content_hash
from tests.support.shop import make_listing

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
    ("comments", "AT&amp;amp;T", "AT&T"),
    ("weight", Decimal("0.0"), None),
    ("weight", Decimal("-0.0"), None),
    ("format_quantity", 0, None),
    ("quantity", 0, None),
    ("quantity", 1, None),
    ("accept_offer", False, None),
    ("price_value", Decimal("-0.00"), Decimal(0)),
    ("sleeve_condition", "Not Graded", ""),
    ("catalog_number", "none", ""),
    ("catalog_number", "None, LT 7, none", "LT 7"),
    ("catalog_number", "LT 7, LT 7, LT 8", "LT 7, LT 8"),
    ("label_names", "Epic, Dragnet, Epic", "Epic, Dragnet"),
]


@pytest.mark.parametrize(("field", "one", "other"), SAME)
def test_mere_form_is_no_difference(field: str, one: object, other: object) -> None:
    """Entities, composition, space, zeros and parentheses do not make another listing."""
    first, second = (make_listing(0, **{field: value}) for value in (one, other))
    assert content_hash(first) == content_hash(second)


DIFFERENT = [
    ("weight", Decimal(1), None),
    ("format_quantity", 1, None),
    ("quantity", 2, None),
    ("accept_offer", True, None),
    ("price_value", Decimal("0.01"), Decimal(0)),
    ("sleeve_condition", "Generic", ""),
    ("condition", "Not Graded", ""),
    ("catalog_number", "none 7", ""),
    ("location", "0", ""),
    ("location", "039", "39"),
    ("comments", "none", ""),
]


@pytest.mark.parametrize(("field", "one", "other"), DIFFERENT)
def test_what_says_something_is_a_difference(field: str, one: object, other: object) -> None:
    """Only what says nothing is nothing."""
    first, second = (make_listing(0, **{field: value}) for value in (one, other))
    assert content_hash(first) != content_hash(second)


@given(st.text())
def test_canonical_text_is_stable(text: str) -> None:
    """Bringing a canonical text into canonical form again changes nothing but further entities."""
    once = canonical("label_names", text.replace("&", ""))
    assert canonical("label_names", once) == once
