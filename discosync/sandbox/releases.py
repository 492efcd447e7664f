"""The releases behind the sandbox's listings, as `GET /releases/{id}` shows them.

Everything follows from the listing: a name has the same id on every release, and the names and
joins of the credits, put in a row, are the listing's artist.
"""

import hashlib
import re
from random import Random
from typing import Any

from discosync.core.inventory.listing import Listing

Json = dict[str, Any]

_API = "https://api.discogs.com"
_JOIN = re.compile(r"(, | & | / | Feat\. | vs\. | With )")
_KNOWN_ARTISTS = {"Various": 194, "Unknown Artist": 355, "Anonymous": 967_691}
_KNOWN_LABELS = {"Not On Label": 1818}
_FIRST_FREE_ID = 1_000_000  # above the ids of Discogs' special entries
_PEOPLE = "Ilse Marrow,Tobin Hale,Oona Fisk (3),Ravi Lund,Petra Quill"
_ROLES = "Producer,Mixed By,Artwork [Sleeve],Mastered By,Photography By"


def render_release(listing: Listing) -> Json:
    """Return the answer of `GET /releases/{id}`: what the listing shows, the rest invented."""
    rng = Random(f"release {listing.release_id}")  # noqa: S311 - a rehearsal, no secret
    artists = _artists(listing.artist_names or "")
    return {
        "id": listing.release_id,
        "status": "Accepted",
        "title": listing.release_title,
        "year": listing.release_year or 0,
        "artists": artists,
        "labels": _labels(listing.label_names or "", listing.catalog_number or "", rng),
        "extraartists": _extra_artists(rng),
        "companies": [_company("Meridian Pressing", "17", "Pressed By")],
        "formats": [{"name": "Vinyl", "qty": "1", "text": "", "descriptions": ["LP", "Album"]}],
        "genres": ["Electronic"],
        "country": "Germany",
        "notes": "Made up.",
        "data_quality": "Needs Vote",
        "tracklist": _tracks(rng, by_track=rng.random() < 0.2),
        "resource_url": listing.release_resource_url or f"{_API}/releases/{listing.release_id}",
    }


def _artists(shown: str) -> list[Json]:
    """Split the shown artist into credits; `*` marks a name that is not the artist's usual one."""
    parts = _JOIN.split(shown) if shown else []
    joins = [join.strip() for join in parts[1::2]] + [""]
    return [_artist(name, join=join) for name, join in zip(parts[::2], joins, strict=False)]


def _artist(shown: str, *, join: str = "", role: str = "", has_entry: bool = True) -> Json:
    variation = shown.removesuffix("*") if shown.endswith("*") else ""
    name = f"The {variation}" if variation else shown
    artist_id = _stable_id("artist", name, _KNOWN_ARTISTS) if has_entry else 0
    return {
        "id": artist_id,
        "name": name,
        "anv": variation,
        "join": join,
        "role": role,
        "tracks": "",
        "resource_url": f"{_API}/artists/{artist_id}",
    }


def _extra_artists(rng: Random) -> list[Json]:
    """Invent up to two people and perhaps a writer; a third of the writers have no entry."""
    people, roles = _PEOPLE.split(","), _ROLES.split(",")
    extras = [_artist(rng.choice(people), role=rng.choice(roles)) for _ in range(rng.randrange(3))]
    if rng.random() < 0.5:
        writer = rng.choice(people)
        extras.append(_artist(writer, role="Written-By", has_entry=rng.random() < 0.67))
    return extras


def _labels(names: str, numbers: str, rng: Random) -> list[Json]:
    """Pair labels with their catalogue numbers; a single number belongs to every label.

    Now and then the first label comes twice, with its number in another spelling.
    """
    each_name = names.split(", ") if names else []
    each_number = numbers.split(", ")
    if len(each_number) != len(each_name):
        each_number = [numbers] * len(each_name)
    labels = [
        {**_company(name, "1", "Label"), "catno": number}
        for name, number in zip(each_name, each_number, strict=True)
    ]
    if labels and " " in each_number[0] and rng.random() < 0.1:
        labels.append({**labels[0], "catno": each_number[0].replace(" ", "")})
    return labels


def _company(name: str, entity_type: str, entity_type_name: str) -> Json:
    label_id = _stable_id("label", name, _KNOWN_LABELS)
    return {
        "id": label_id,
        "name": name,
        "catno": "",
        "entity_type": entity_type,
        "entity_type_name": entity_type_name,
        "resource_url": f"{_API}/labels/{label_id}",
    }


def _tracks(rng: Random, *, by_track: bool) -> list[Json]:
    """Invent tracks; with `by_track`, each has artists, who are no credits of the release."""
    tracks: list[Json] = []
    for number in range(1, 5):
        track: Json = {
            "position": f"A{number}",
            "title": f"Part {number}",
            "duration": f"{rng.randrange(2, 9)}:{rng.randrange(60):02}",
            "type_": "track",
        }
        if by_track:
            track["artists"] = [_artist(f"Track Guest {number}")]
            track["extraartists"] = [_artist("Remix Guest", role="Remix")]
        tracks.append(track)
    return tracks


def _stable_id(kind: str, name: str, known: dict[str, int]) -> int:
    """Derive an id below 2**31 from a name; Discogs' special entries keep their ids."""
    if name in known:
        return known[name]
    digest = hashlib.sha256(f"{kind} {name}".encode()).digest()
    return _FIRST_FREE_ID + int.from_bytes(digest[:8]) % (2**31 - _FIRST_FREE_ID)
