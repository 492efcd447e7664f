"""What an old shop knew of a listing is read in any form, and decided by one written rule."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from discosync.core.planning.adoption import (
    Doubt,
    OwnState,
    decide_lifecycle,
    read_own_moment,
    read_own_state,
    read_yes_no,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
THEN = datetime(2026, 1, 5, 18, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        *((value, True) for value in (True, 1, 1.0, "1", "t", "TRUE", " yes ", "y", "on")),
        *((value, False) for value in (False, 0, 0.0, "0", "f", "False", "no", "off")),
        (None, None),
        ("", None),
    ],
)
def test_a_truth_value_is_read_in_any_form(value: object, read: bool | None) -> None:  # noqa: FBT001 - what is read
    """A boolean, a number, a letter or a word; nothing is nothing."""
    assert read_yes_no(value) is read


@pytest.mark.parametrize(
    "value",
    [
        THEN,
        THEN.replace(tzinfo=None),
        THEN.astimezone(timezone(timedelta(hours=9))),
        "2026-01-05 18:30:00",
        "2026-01-05T18:30:00Z",
        "2026-01-06 03:30:00+09:00",
        int(THEN.timestamp()),
        str(int(THEN.timestamp())),
        int(THEN.timestamp() * 1000),
    ],
)
def test_a_moment_is_read_in_any_form(value: object) -> None:
    """With a zone, in UTC without one, as text, or as seconds or milliseconds since 1970."""
    assert read_own_moment(value) == THEN


@pytest.mark.parametrize(
    "values", [{"is_active": "perhaps"}, {"removed_at": "last week"}, {"sold_at": 10**20}]
)
def test_what_cannot_be_read_counts_as_empty_and_is_told(values: dict[str, Any]) -> None:
    """It is neither guessed nor fatal."""
    own = read_own_state(values)
    assert own == OwnState(is_unreadable=True)
    lifecycle, doubt = decide_lifecycle("For Sale", own, now=NOW)
    assert (lifecycle.is_active, doubt) == (True, Doubt.UNREADABLE)


GONE_WITHOUT = (False, NOW, "missing", None)
SOLD_THEN = (False, THEN, "sold", THEN)


@pytest.mark.parametrize(
    ("status", "own", "lifecycle", "doubt"),
    [
        # What the shop marked as gone is gone.
        ("For Sale", OwnState(is_active=False), GONE_WITHOUT, None),
        (
            "For Sale",
            OwnState(is_active=False, removed_at=THEN),
            (False, THEN, "missing", None),
            None,
        ),
        ("For Sale", OwnState(is_active=False, sold_at=THEN), SOLD_THEN, None),
        ("Draft", OwnState(is_active=False), (False, NOW, "draft", None), None),
        (
            "Draft",
            OwnState(is_active=False, removal_reason="expired"),
            (False, NOW, "expired", None),
            None,
        ),
        # A status goes before a mark that says active.
        ("Sold", OwnState(is_active=True), (False, NOW, "sold", None), Doubt.ACTIVE_BUT_STATUS),
        ("Sold", OwnState(is_active=True, sold_at=THEN), SOLD_THEN, Doubt.ACTIVE_BUT_STATUS),
        # A mark that says active goes before times.
        (
            "For Sale",
            OwnState(is_active=True, removed_at=THEN),
            (True, None, None, None),
            Doubt.ACTIVE_BUT_GONE,
        ),
        # Nothing is marked: times, then the status.
        ("For Sale", OwnState(sold_at=THEN), SOLD_THEN, None),
        ("For Sale", OwnState(), (True, None, None, None), None),
        ("Sold", OwnState(), (False, NOW, "sold", None), None),
        (None, OwnState(), (True, None, None, None), None),
        (None, OwnState(is_active=False), GONE_WITHOUT, None),
    ],
)
def test_lifecycle_is_decided_by_mark_status_and_times(
    status: str | None, own: OwnState, lifecycle: tuple[Any, ...], doubt: Doubt | None
) -> None:
    """Gone stays gone; Discogs' own word, the mark, and the times count in this order."""
    assert decide_lifecycle(status, own, now=NOW) == (lifecycle, doubt)


@pytest.mark.parametrize(
    ("told", "read"),
    [
        (" Sold ", "sold"),
        ("MISSING", "missing"),
        ("because", None),
        ("", None),
        (None, None),
    ],
)
def test_own_state_holds_every_column(told: str | None, read: str | None) -> None:
    """Each is read as far as it can be; a reason counts when it is one of ours."""
    values = {"is_active": "no", "removed_at": str(THEN), "sold_at": None, "removal_reason": told}
    assert read_own_state(values) == OwnState(is_active=False, removed_at=THEN, removal_reason=read)


def test_word_that_is_neither_yes_nor_no_is_named() -> None:
    """Whoever reads the error sees what stands there."""
    with pytest.raises(ValueError, match="'perhaps' is neither yes nor no"):
        read_yes_no("perhaps")


@pytest.mark.parametrize(("number", "year"), [(99_999_999_999, 5138), (100_000_000_000, 1973)])
def test_large_number_is_milliseconds(number: int, year: int) -> None:
    """What would be after the year 5138 as seconds is not meant as seconds."""
    moment = read_own_moment(number)
    assert moment is not None
    assert moment.year == year


@pytest.mark.parametrize(
    ("status", "own", "lifecycle", "doubt"),
    [
        (
            "For Sale",
            OwnState(is_active=True, is_unreadable=True),
            (True, None, None, None),
            Doubt.UNREADABLE,
        ),
        ("for sale", OwnState(removed_at=THEN), (False, THEN, "missing", None), None),
        ("Sold", OwnState(sold_at=THEN), SOLD_THEN, None),
    ],
)
def test_lifecycle_of_rows_that_say_little(
    status: str, own: OwnState, lifecycle: tuple[Any, ...], doubt: Doubt | None
) -> None:
    """An unreadable column is told even where the mark decides."""
    assert decide_lifecycle(status, own, now=NOW) == (lifecycle, doubt)
