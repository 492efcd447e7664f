"""The columns of an inventory CSV: which field each one is, and how its text is read.

A reader raises `ValueError`, with the reason for people, for text that cannot be right.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from discosync.core.inventory.listing import FOR_SALE, FieldValue
from discosync.core.inventory.money import parse_amount, parse_decimal
from discosync.core.inventory.pacific import pacific_to_utc

_MAX_ID = 2**63 - 1
_MAX_DIGITS = len(str(_MAX_ID))
_MAX_STATUS = 50

EXPORT_COLUMNS = (
    "listing_id",
    "artist",
    "title",
    "label",
    "catno",
    "format",
    "release_id",
    "status",
    "price",
    "listed",
    "comments",
    "media_condition",
    "sleeve_condition",
    "accept_offer",
    "external_id",
    "weight",
    "format_quantity",
    "location",
    "quantity",
)
"""The header of a Discogs export, August 2026."""

SPOOL_COLUMNS = (
    *EXPORT_COLUMNS,
    "currency",
    "posted",
    "uri",
    "resource_url",
    "release_year",
    "release_resource_url",
    "image_uri",
    "image_resource_url",
    "release_community_have",
    "release_community_want",
)
"""What the pages show, in the export's form: these columns more."""

PAST_COLUMNS = (*EXPORT_COLUMNS, "currency")
"""What `as-of --csv` writes; no other file has exactly these. Its texts are guarded."""

CORE_COLUMNS = ("listing_id", "release_id", "status", "price")

FIELD_BY_COLUMN = {
    "status": "status",
    "price": "price_value",
    "currency": "price_currency",
    "media_condition": "condition",
    "sleeve_condition": "sleeve_condition",
    "comments": "comments",
    "accept_offer": "accept_offer",
    "quantity": "quantity",
    "weight": "weight",
    "format_quantity": "format_quantity",
    "external_id": "external_id",
    "location": "location",
    "release_id": "release_id",
    "artist": "artist_names",
    "title": "release_title",
    "label": "label_names",
    "catno": "catalog_number",
    "format": "format_names",
    "listed": "posted",
    "posted": "posted",
    "uri": "uri",
    "resource_url": "resource_url",
    "release_year": "release_year",
    "release_resource_url": "release_resource_url",
    "image_uri": "image_uri",
    "image_resource_url": "image_resource_url",
    "release_community_have": "release_community_have",
    "release_community_want": "release_community_want",
}
"""CSV column → field of `Listing` and column of the table `listings`."""


def parse_id(text: str, name: str) -> int:
    """Read a positive whole number of 64 bits; `name` is for the reason."""
    if len(text) < _MAX_DIGITS and text.isdecimal() and text.isascii() and text[0] != "0":
        return int(text)  # as Discogs writes them
    digits = text.strip().lstrip("0")
    if (
        not (digits.isascii() and digits.isdigit())
        or len(digits) > _MAX_DIGITS
        or int(digits) > _MAX_ID
    ):
        raise ValueError(f"{name} {text[:40]!r} is not a positive whole number")
    return int(digits)


def parse_ids(texts: Sequence[str], name: str) -> list[int]:
    """Read many ids as `parse_id` does."""
    if "".join(texts).isdecimal() and max(map(len, texts), default=0) < _MAX_DIGITS:
        try:
            ids = list(map(int, texts))
        except ValueError:  # one is empty
            ids = []
        if list(map(str, ids)) == list(texts) and 0 not in ids:  # as Discogs writes them
            return ids
    return [parse_id(text, name) for text in texts]


def parse_listed(text: str) -> datetime | None:
    """Read the export's `listed`: Pacific time without a zone."""
    if not text:
        return None
    try:
        return pacific_to_utc(datetime.fromisoformat(text).replace(tzinfo=None))
    except (ValueError, OverflowError):
        raise ValueError(f"listed {text[:40]!r} is not a date") from None


def read_text(text: str, _field: str) -> str:
    """Take a text as it is."""
    return text


def _read_link(text: str, _field: str) -> str | None:
    return text or None


def _read_status(text: str, _field: str) -> str:
    text = text.strip()
    if not 0 < len(text) <= _MAX_STATUS:
        raise ValueError(f"status {text[:40]!r} is empty or too long")
    # One spelling: everything that asks whether a listing is for sale compares with this word.
    return FOR_SALE if text.casefold() == "for sale" else text


def _read_price(text: str, _field: str) -> Decimal:
    return parse_amount(text.strip())


def _read_currency(text: str, _field: str) -> str | None:
    code = text.strip().upper()
    if code and not (len(code) == 3 and code.isascii() and code.isalpha()):
        raise ValueError(f"currency {text[:40]!r} is no currency")
    return code or None


def _read_yes_no(text: str, field: str) -> bool | None:
    try:
        return {"Y": True, "N": False, "": None}[text.strip().upper()]
    except KeyError:
        raise ValueError(f"{field} {text[:40]!r} is neither Y nor N") from None


def _read_count(text: str, field: str) -> int | None:
    text = text.strip()
    if not text:
        return None
    # JSON may write a whole number with a fraction of 0.
    text = text.removesuffix(".0")
    digits = text.lstrip("0") or "0"
    if not (text.isascii() and text.isdigit()) or len(digits) > 10 or int(digits) >= 2**31:
        raise ValueError(f"{field} {text[:40]!r} is not a whole number")
    return int(digits)


def _read_known_count(text: str, field: str) -> int | None:
    # Discogs writes 0 for an unknown year, and one source may write 0 where another writes nothing.
    return _read_count(text, field) or None


def _read_weight(text: str, field: str) -> Decimal | None:
    text = text.strip()
    if not text:
        return None
    weight = parse_decimal(text, field)
    if not 0 <= weight < 2**31:
        raise ValueError(f"{field} {text[:40]!r} is not a possible weight")
    return weight or None  # one source writes 0.0 where another writes nothing


def _read_id(text: str, field: str) -> int:
    return parse_id(text, field)


def _read_posted(text: str, field: str) -> datetime | None:
    if not text:
        return None
    try:
        posted = datetime.fromisoformat(text)
        # Recordings of 2013 and 2014 carry no offset: Discogs' own clock is meant.
        return pacific_to_utc(posted) if posted.tzinfo is None else posted.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{field} {text[:40]!r} is not a date") from None


Reader = Callable[[str, str], FieldValue]

READER_BY_FIELD: dict[str, Reader] = {
    "status": _read_status,
    "price_value": _read_price,
    "price_currency": _read_currency,
    "accept_offer": _read_yes_no,
    "quantity": _read_known_count,
    "weight": _read_weight,
    "format_quantity": _read_known_count,
    "release_id": _read_id,
    "posted": _read_posted,
    "release_year": _read_known_count,
    "release_community_have": _read_count,
    "release_community_want": _read_count,
    "uri": _read_link,
    "resource_url": _read_link,
    "release_resource_url": _read_link,
    "image_uri": _read_link,
    "image_resource_url": _read_link,
}
