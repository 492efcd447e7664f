"""One listing: its fields, their canonical form, and the content hash.

Field names are the column names of the table `listings`, everywhere. A field is

* *content*, when both the export and the pages show it. Only content is hashed and compared, and
  only a difference in content is a change;
* *extra*, when only one source shows it, or when it changes by itself (`posted` moves with every
  edit). It is written when a source shows it, never blanked, and never by itself a change.

`None` in a content field means that this source does not show it, `""` that it is empty. Filling
in a value that was None is no change either.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from operator import attrgetter

from discosync.core.inventory.canonical import CANONICAL_BY_FIELD, canonical_text, unescape
from discosync.core.inventory.records import DIGEST_BYTES, NO_DIGEST

FieldValue = str | int | Decimal | bool | datetime | None

HASH_VERSION = "2"
"""Begins every content hash. After a new version the rows are hashed anew, which is no change."""

_HASH_PREFIX = f"{HASH_VERSION}:"

FOR_SALE = "For Sale"

SELLER_FIELDS = (
    "status",
    "price_value",
    "price_currency",
    "condition",
    "sleeve_condition",
    "comments",
    "accept_offer",
    "quantity",
    "weight",
    "format_quantity",
    "external_id",
    "location",
)
"""What the seller writes."""

PRIVATE_FIELDS = frozenset({"quantity", "weight", "format_quantity", "external_id", "location"})
"""What Discogs shows only to the owner of the listing."""

CATALOGUE_FIELDS = (
    "release_id",
    "artist_names",
    "release_title",
    "label_names",
    "catalog_number",
    "format_names",
)
"""What a listing shows of its release. Discogs' contributors may edit it at any time."""

CONTENT_FIELDS = SELLER_FIELDS + CATALOGUE_FIELDS

EXTRA_FIELDS = (
    "posted",
    "uri",
    "resource_url",
    "release_year",
    "release_resource_url",
    "release_uri",
    "image_uri",
    "image_resource_url",
    "release_community_have",
    "release_community_want",
)

FILLED_ONCE_FIELDS = ("release_year", "image_uri")
"""Extras that only the pages show. A row that lacks one is completed when a source shows it."""

_REASON_BY_STATUS = {
    "sold": "sold",
    "expired": "expired",
    "draft": "draft",
    "violation": "violation",
    "suspended": "violation",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One item a seller offers, as one source shows it.

    Times carry a zone, money is exact, `weight` is in grams.
    """

    listing_id: int
    status: str
    price_value: Decimal
    price_currency: str | None
    release_id: int
    condition: str | None = None
    sleeve_condition: str | None = None
    comments: str | None = None
    accept_offer: bool | None = None
    quantity: int | None = None
    weight: Decimal | None = None
    format_quantity: int | None = None
    external_id: str | None = None
    location: str | None = None
    artist_names: str | None = None
    release_title: str | None = None
    label_names: str | None = None
    catalog_number: str | None = None
    format_names: str | None = None
    posted: datetime | None = None
    uri: str | None = None
    resource_url: str | None = None
    release_year: int | None = None
    release_resource_url: str | None = None
    release_uri: str | None = None
    image_uri: str | None = None
    image_resource_url: str | None = None
    release_community_have: int | None = None
    release_community_want: int | None = None

    @property
    def is_for_sale(self) -> bool:
        """Whether a customer could buy it: the meaning of *active*."""
        return self.status == FOR_SALE

    @property
    def heading(self) -> str:
        """Artist and title, for people."""
        return heading_of(self.artist_names, self.release_title)


def heading_of(artist_names: FieldValue, release_title: FieldValue) -> str:
    """Name a listing for people: artist and title."""
    return " – ".join(unescape(str(p)) for p in (artist_names, release_title) if p)


def removal_reason(status: str) -> str:
    """Say why a listing with this status is not for sale: the value of `removal_reason`.

    "Suspended" counts as a violation. "Deleted", and every word that Discogs' API documentation
    does not name, counts as `missing`: not for sale, and nothing more is known.
    """
    return _REASON_BY_STATUS.get(status.casefold(), "missing")


def first_of(names: str | None) -> str | None:
    """Take the first of names joined by a comma, for the `primary_…` columns."""
    return names.split(", ", 1)[0] if names else names


_CANONICAL_IN_ORDER = tuple(CANONICAL_BY_FIELD.get(f, canonical_text) for f in CONTENT_FIELDS)
_CANONICAL = dict(zip(CONTENT_FIELDS, _CANONICAL_IN_ORDER, strict=True))
_content_of = attrgetter(*CONTENT_FIELDS)


def canonical(field: str, value: FieldValue) -> str:
    """Return the canonical form of a content field's value, in which sources are compared.

    It is the same for the same fact, whichever source shows it.
    """
    return _CANONICAL[field](value)


def content_hash(listing: Listing) -> str:
    """Return the content hash of a listing: version, colon, 32 hexadecimal digits."""
    return render_hash(content_digest(listing))


def content_digest(listing: Listing) -> bytes:
    """Return the content hash of a listing as 16 bytes, without its version."""
    return digest_values(_content_of(listing))


def content_hash_of_row(values: Mapping[str, FieldValue]) -> str:
    """Return the content hash of a stored row: that of a listing with the same values."""
    return render_hash(digest_values([values[field] for field in CONTENT_FIELDS]))


def render_hash(digest: bytes) -> str:
    """Write a content digest as the column `content_hash` holds it."""
    return f"{HASH_VERSION}:{digest.hex()}"


def content_digest_of(content_hash: str | None) -> bytes:
    """Read the digest in a content hash; `NO_DIGEST` for no hash or another version's."""
    if content_hash is None or not content_hash.startswith(_HASH_PREFIX):
        return NO_DIGEST
    try:
        digest = bytes.fromhex(content_hash[len(_HASH_PREFIX) :])
    except ValueError:
        return NO_DIGEST
    return digest if len(digest) == DIGEST_BYTES else NO_DIGEST


def digest_values(content: Iterable[FieldValue]) -> bytes:
    """Digest the values of all content fields, in the order of `CONTENT_FIELDS`."""
    return digest_forms(form(v) for form, v in zip(_CANONICAL_IN_ORDER, content, strict=True))


def digest_forms(forms: Iterable[str]) -> bytes:
    """Digest the canonical forms of all content fields, in the same order."""
    # NUL separates: the parser refuses it inside a field, so no two contents run together.
    body = "\0".join(forms)
    return blake2b(body.encode(), digest_size=DIGEST_BYTES).digest()


def overlay(listing: Listing, known: Mapping[str, FieldValue], *, sees: frozenset[str]) -> Listing:
    """Fill in the content that the source of a listing does not show, from a stored row."""
    # Otherwise a source that hides private fields would seem to have emptied them.
    unseen = {field: known[field] for field in CONTENT_FIELDS if field not in sees}
    return replace(listing, **unseen) if unseen else listing  # type: ignore[arg-type]
