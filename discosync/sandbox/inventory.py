"""A made-up inventory in the shapes of a real one, and its changes from hour to hour.

Everything follows from a seed, so that a rehearsal can be repeated. All names are invented.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from discosync.core.inventory.listing import FOR_SALE, Listing

DEFAULT_SELLER = "sandbox-records"
DEFAULT_LISTINGS = 600

_FIRST_ID = 4_332_000_000  # real ids have passed 2**32
_EPOCH = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)

_ADJECTIVES = "Velvet Hollow Electric Paper Northern Crimson Slow Wired Amber Static Lunar Plain"
_NOUNS = "Harbour Signal Orchard Machine Sparrow Avenue Cascade Meridian Lantern Static Choir Tide"
_JOINS = (", ", " & ", " Feat. ", " / ")
_FORMATS = (
    "LP, Album",
    "LP, Album, RE",
    '12", EP',
    '7", Single, Promo',
    "CD, Album",
    "2xLP, Album, Gat",
    "Cass, Album",
    '12", Maxi',
)
_CONDITIONS = (
    "Mint (M)",
    "Near Mint (NM or M-)",
    "Very Good Plus (VG+)",
    "Very Good (VG)",
    "Good Plus (G+)",
)
_COMMENTS = (
    "",
    "Plays great.",
    "Small corner ding; inner sleeve's split.",
    'Promo stamp on label, "not for sale".',
    "Light hairlines, plays through.\nOriginal inner.",
    "Ships within 2 days 💿 ",
    "Ünplayed, späte Pressung",
)
_SHARE_BY_STATUS = {FOR_SALE: 74, "Sold": 24, "Draft": 1, "Expired": 1}


def make_inventory(count: int, *, seed: int = 1) -> list[Listing]:
    """Make up `count` listings, oldest first."""
    rng = Random(f"inventory {seed}")  # noqa: S311 - a rehearsal, no secret
    return [_make_listing(rng, number) for number in range(count)]


def _make_listing(rng: Random, number: int) -> Listing:
    adjectives, nouns = _ADJECTIVES.split(), _NOUNS.split()
    artist = f"{rng.choice(adjectives)} {rng.choice(nouns)}"
    if rng.random() < 0.1:
        join = _JOINS[number % len(_JOINS)]
        artist += rng.choice((" (2)", "*", f"{join}{rng.choice(nouns)} Trio"))
    label = f"{rng.choice(nouns)} Recordings"
    listing_id = _FIRST_ID + number * 7
    release_id = 100_000 + rng.randrange(900_000)
    sleeve = "Not Graded" if rng.random() < 0.1 else rng.choice(_CONDITIONS)
    return Listing(
        listing_id=listing_id,
        status=rng.choices(list(_SHARE_BY_STATUS), list(_SHARE_BY_STATUS.values()))[0],
        price_value=Decimal(rng.randrange(150, 9000)) / 100,
        price_currency="EUR",
        release_id=release_id,
        condition=rng.choice(_CONDITIONS),
        sleeve_condition=sleeve,
        comments=rng.choice(_COMMENTS),
        accept_offer=rng.random() < 0.3,
        quantity=1,
        weight=Decimal(rng.choice((60, 85, 230, 460))),
        format_quantity=1,
        external_id=f"BOX-{number % 40:02}" if rng.random() < 0.5 else "",
        location=f"{number % 120:03}",
        artist_names=artist,
        release_title=f"{rng.choice(adjectives)} {rng.choice(nouns)}s",
        label_names=label if rng.random() < 0.9 else f"{label}, {rng.choice(nouns)} Tapes",
        catalog_number="none" if rng.random() < 0.1 else f"{label[:3].upper()} {number:04}",
        format_names=rng.choice(_FORMATS),
        posted=_EPOCH + timedelta(minutes=11 * number),
        uri=f"https://www.discogs.com/sell/item/{listing_id}",
        resource_url=f"https://api.discogs.com/marketplace/listings/{listing_id}",
        release_year=rng.choice((None, 1969, 1978, 1984, 1991, 2003, 2019)),
        release_resource_url=f"https://api.discogs.com/releases/{release_id}",
        image_uri=f"https://i.discogs.com/sandbox/{release_id}.jpeg",
        image_resource_url=f"https://i.discogs.com/sandbox/{release_id}.jpeg",
        release_community_have=rng.randrange(3000),
        release_community_want=rng.randrange(900),
    )


def drift(inventory: list[Listing], steps: int, *, seed: int = 1) -> list[Listing]:
    """Let `steps` hours pass: sales, new records, new prices, a listing withdrawn, one back."""
    for step in range(1, steps + 1):
        inventory = _drift_once(inventory, Random(f"drift {seed} {step}"))  # noqa: S311
    return inventory


def _drift_once(inventory: list[Listing], rng: Random) -> list[Listing]:
    after = {listing.listing_id: listing for listing in inventory}
    for_sale = [listing for listing in inventory if listing.is_for_sale]
    picked = rng.sample(for_sale, min(9, len(for_sale)))
    for listing in picked[:3]:
        after[listing.listing_id] = replace(listing, status="Sold")
    for listing in picked[3:4]:
        del after[listing.listing_id]
    for listing in picked[4:8]:
        price = (listing.price_value * Decimal("0.9")).quantize(Decimal("0.01"))
        after[listing.listing_id] = replace(listing, price_value=price)
    for listing in picked[8:]:
        after[listing.listing_id] = replace(listing, comments="Now with a new inner sleeve.")
    for listing in [x for x in inventory if x.status in {"Draft", "Expired"}][:1]:
        after[listing.listing_id] = replace(listing, status=FOR_SALE)
    newest = max(after, default=_FIRST_ID)
    number = (newest - _FIRST_ID) // 7 + 1
    for offset in range(2):
        listing = replace(_make_listing(rng, number + offset), status=FOR_SALE)
        after[listing.listing_id] = listing
    return list(after.values())
