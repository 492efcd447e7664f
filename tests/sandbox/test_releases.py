"""The sandbox's releases: the credits behind its listings, over HTTP and as a dump."""

import pytest
import requests

from discosync.core.catalog.credits import ArtistCredit, ReleaseCredits, parse_release
from discosync.sandbox.inventory import make_inventory
from discosync.sandbox.releases import render_release
from discosync.sandbox.server import SandboxServer
from tests.support.shop import make_listing

INVENTORY = make_inventory(1500)
CREDITS = [parse_release(render_release(listing)) for listing in INVENTORY]


def _shown(artists: list[ArtistCredit]) -> str:
    """Write credits as Discogs shows them on a listing."""
    text = ""
    for artist in artists:
        name = f"{artist.name_variation}*" if artist.name_variation else artist.name
        join = artist.join_phrase
        text += name + (", " if join == "," else f" {join} " if join else "")
    return text


def _main(release: ReleaseCredits) -> list[ArtistCredit]:
    return [artist for artist in release.artists if not artist.role]


@pytest.mark.parametrize(
    "shown",
    [
        "Velvet Signal",
        "Velvet Signal (2)",
        "Velvet Signal*",
        "Various",
        "Velvet Signal, Amber Tide",
        "Velvet Signal* & Amber Tide (3) Feat. Slow Choir*",
        "Velvet Signal / Amber Tide vs. Slow Choir With Paper Avenue",
        "Ünplayed & 𝄞",
        "",
    ],
)
def test_credits_add_up_to_what_the_listing_shows(shown: str) -> None:
    """Name and join after name and join is the listing's artist."""
    release = parse_release(render_release(make_listing(artist_names=shown)))
    assert _shown(_main(release)) == shown


def test_made_up_listings_have_credits_that_add_up() -> None:
    """So it is for a whole inventory, with joins, name variations and second bearers of a name."""
    assert [_shown(_main(x)) for x in CREDITS] == [x.artist_names for x in INVENTORY]
    main = [artist for release in CREDITS for artist in _main(release)]
    assert {artist.join_phrase for artist in main} >= {"", ",", "&", "Feat.", "/"}
    assert any(artist.name_variation for artist in main)
    assert any(artist.name.endswith(" (2)") for artist in main)


def test_ids_belong_to_names() -> None:
    """One name has one id on all releases, and different names have different ids."""
    for kind in ("artists", "labels"):
        named = {
            (x.name, x.discogs_id)
            for release in CREDITS
            for x in getattr(release, kind)
            if x.discogs_id is not None
        }
        assert len({name for name, _ in named}) == len({id_ for _, id_ in named}) == len(named)
        assert all(0 < id_ < 2**31 for _, id_ in named)


@pytest.mark.parametrize(
    ("name", "discogs_id"),
    [
        ("Various", 194),
        ("Velvet Signal", 1_584_944_383),
        ("Velvet Signal (2)", 845_941_393),
    ],
)
def test_ids_stay_as_they_are(name: str, discogs_id: int) -> None:
    """A staging database keeps its links from one version to the next."""
    release = parse_release(render_release(make_listing(artist_names=name)))
    assert release.artists[0].discogs_id == discogs_id


def test_some_of_everything() -> None:
    """A rehearsal meets roles, names without an entry, and a label twice on one release."""
    credits_of = [artist for release in CREDITS for artist in release.artists]
    assert any(artist.role and artist.discogs_id for artist in credits_of)
    assert any(artist.discogs_id is None for artist in credits_of)
    assert any(len(x.labels) > len({label.discogs_id for label in x.labels}) for x in CREDITS)
    assert any(len({label.discogs_id for label in x.labels}) > 1 for x in CREDITS)


@pytest.mark.parametrize(
    ("names", "numbers", "labels"),
    [
        ("Orchard", "ORC-1", [("Orchard", "ORC-1")]),
        ("Orchard, Tide", "ORC-1, T-2", [("Orchard", "ORC-1"), ("Tide", "T-2")]),
        ("Orchard, Tide", "ORC-1", [("Orchard", "ORC-1"), ("Tide", "ORC-1")]),
        ("Orchard, Orchard", "A-1, B-1", [("Orchard", "A-1"), ("Orchard", "B-1")]),
        ("", "", []),
    ],
)
def test_labels_have_their_numbers(names: str, numbers: str, labels: list[tuple[str, str]]) -> None:
    """As many numbers as labels are paired; any other count belongs to each label."""
    listing = make_listing(label_names=names, catalog_number=numbers)
    release = parse_release(render_release(listing))
    assert [(x.name, x.catalog_number) for x in release.labels] == labels


def test_releases_over_http(sandbox: SandboxServer) -> None:
    """A release that a listing is a copy of is answered, always alike; any other is missing."""
    listing = sandbox.state.inventory[3]
    answers = [requests.get(f"{sandbox.url}/releases/500003", timeout=5) for _ in range(2)]
    missing = requests.get(f"{sandbox.url}/releases/499999", timeout=5)

    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["id"] == listing.release_id
    assert answers[0].json()["artists"][0]["name"] == listing.artist_names
    assert (missing.status_code, missing.json()) == (404, {"message": "Release not found."})
