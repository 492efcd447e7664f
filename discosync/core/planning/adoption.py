"""What the old shop knew of a listing: read whatever its columns hold, and decide what is true."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from discosync.core.inventory.listing import FOR_SALE, removal_reason
from discosync.core.planning.changes import ACTIVE, Lifecycle
from discosync.core.planning.lifecycle import lifecycle_of_adopted

REASONS = ("sold", "expired", "draft", "violation", "missing")

_YES = {"1", "t", "true", "y", "yes", "on", "active"}
_NO = {"0", "f", "false", "n", "no", "off", "inactive"}
_MILLISECONDS_FROM = 100_000_000_000  # as seconds it would be the year 5138
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


class Doubt(StrEnum):
    """What a row says against itself, or cannot be read; the text says how it was decided."""

    ACTIVE_BUT_GONE = (
        "say active and also when they were removed or sold: they stay active, as the shop showed "
        "them"
    )
    ACTIVE_BUT_STATUS = (
        "say active but have a status such as Sold or Draft: they are not for sale, as Discogs said"
    )
    UNREADABLE = (
        "hold something in is_active, removed_at or sold_at that cannot be read: it counts as empty"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnState:
    """What the shop's own columns say of one listing; None where it has no column or no value."""

    is_active: bool | None = None
    removed_at: datetime | None = None
    sold_at: datetime | None = None
    removal_reason: str | None = None
    is_unreadable: bool = False


def read_own_state(values: Mapping[str, Any]) -> OwnState:
    """Read the shop's own columns, whatever types they have."""
    unreadable = False
    read: dict[str, Any] = {}
    for name, reader in (
        ("is_active", read_yes_no),
        ("removed_at", read_own_moment),
        ("sold_at", read_own_moment),
    ):
        try:
            read[name] = reader(values.get(name))
        except (ValueError, OverflowError, OSError):
            read[name], unreadable = None, True
    reason = str(values.get("removal_reason") or "").strip().casefold()
    return OwnState(
        **read,
        removal_reason=reason if reason in REASONS else None,
        is_unreadable=unreadable,
    )


def read_yes_no(value: object) -> bool | None:
    """Read a truth value: a boolean, a number, or a word for one; None for an empty one.

    Raises `ValueError` for anything else.
    """
    if value is None or isinstance(value, bool):
        return value
    word = str(value).strip().casefold()
    if not word:
        return None
    if word.removesuffix(".0") in _YES:
        return True
    if word.removesuffix(".0") in _NO:
        return False
    raise ValueError(f"{value!r} is neither yes nor no")


def read_own_moment(value: object) -> datetime | None:
    """Read a moment: with a zone or, without one, in UTC; as text, or in seconds since 1970.

    Raises `ValueError` for anything else.
    """
    if value is None or isinstance(value, datetime):
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)
    text = str(value).strip()
    if not text:
        return None
    if _NUMBER.fullmatch(text):
        seconds = float(text)
        return datetime.fromtimestamp(
            seconds / 1000 if seconds >= _MILLISECONDS_FROM else seconds, UTC
        )
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def decide_lifecycle(
    status: object, own: OwnState, *, now: datetime
) -> tuple[Lifecycle, Doubt | None]:
    """Decide whether an adopted listing is for sale and, if not, since when and why.

    1. What the shop marked as gone is gone, with the times that it noted.
    2. A status that is not for sale is Discogs' own word: it goes before a mark that says active.
    3. A mark that says active goes before times that say gone: the shop showed that listing.
    4. Where nothing is marked, the times decide, and then the status.
    """
    by_status = lifecycle_of_adopted(None if status is None else str(status), now=now)
    has_times = own.removed_at is not None or own.sold_at is not None
    doubt = Doubt.UNREADABLE if own.is_unreadable else None
    if own.is_active is False:
        return _gone(status, own, now=now), doubt
    if not by_status.is_active:
        return _gone(status, own, now=now), Doubt.ACTIVE_BUT_STATUS if own.is_active else doubt
    if own.is_active:
        return ACTIVE, Doubt.ACTIVE_BUT_GONE if has_times else doubt
    return (_gone(status, own, now=now) if has_times else ACTIVE), doubt


def _gone(status: object, own: OwnState, *, now: datetime) -> Lifecycle:
    # A listing that vanished kept the status that it had: "For Sale" counts as missing.
    reason = own.removal_reason or removal_reason(str(status or FOR_SALE).strip())
    return Lifecycle(
        is_active=False,
        removed_at=own.removed_at or own.sold_at or now,
        removal_reason="sold" if own.sold_at is not None else reason,
        sold_at=own.sold_at,
    )
