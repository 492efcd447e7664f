"""A writer of releases dumps in Discogs' form, by hand, so that any byte of one can be wrong."""

import gzip
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from discosync.core.inventory.listing import Listing
from discosync.sandbox.dump import render_dump, render_record
from discosync.sandbox.releases import render_release

Json = Mapping[str, Any]

IMAGES = '<images><image type="primary" uri="" uri150="" width="600" height="600"/></images>'
TRACKLIST = (
    "<tracklist><track><position>A1</position><title>Part 1</title><duration>4:45</duration>"
    "<artists><artist><id>901</id><name>Track Guest</name><anv/><join/><role/><tracks/></artist>"
    "</artists><extraartists><artist><id>902</id><name>Remix Guest</name><anv/><join/>"
    "<role>Remix</role><tracks/></artist></extraartists></track></tracklist>"
)
COMPANIES = (
    "<companies><company><id>903</id><name>Meridian Pressing</name><catno/>"
    "<entity_type>17</entity_type><entity_type_name>Pressed By</entity_type_name>"
    "<resource_url>https://api.discogs.com/labels/903</resource_url></company></companies>"
)


def make_release(number: int, **fields: Any) -> dict[str, Any]:
    """Make the answer of `GET /releases/{id}` of a small release with one of everything."""
    release: dict[str, Any] = {
        "id": number,
        "artists": [make_artist(number * 10, f"The Hollow {number}")],
        "extraartists": [make_artist(number * 10 + 1, "Ilse Märrow", role="Mixed By")],
        "labels": [{"id": number * 10 + 2, "name": "Orchard & Sons", "catno": f"ORC {number:03}"}],
    }
    return release | fields


def make_artist(artist_id: int, name: str, **fields: str) -> dict[str, Any]:
    """Make one artist of such an answer."""
    return {"id": artist_id, "name": name, "anv": "", "join": "", "role": "", "tracks": ""} | fields


def write_record(
    release: Json, *, start: str = '<release id="{}" status="Accepted">', notes: str = "Made up."
) -> str:
    """Write one `<release>` element; tracks and companies have names that are no credits of it."""
    labels = "".join(
        f"<label name={quoteattr(label['name'])} catno={quoteattr(label['catno'])}"
        f' id="{label["id"]}"/>'
        for label in release["labels"]
    )
    return (
        f"{start.format(release['id'])}{IMAGES}"
        f"<artists>{_artists(release['artists'])}</artists><title>Plain Tides</title>"
        f"<labels>{labels}</labels>"
        f"<extraartists>{_artists(release['extraartists'])}</extraartists>"
        f"<released>1999-03-00</released><notes>{notes}</notes>{TRACKLIST}{COMPANIES}</release>"
    )


def _artists(artists: Iterable[Json]) -> str:
    fields = ("id", "name", "anv", "join", "role", "tracks")
    return "".join(
        f"<artist>{''.join(_element(name, artist[name]) for name in fields)}</artist>"
        for artist in artists
    )


def _element(name: str, value: object) -> str:
    text = escape(str(value), {"\r": "&#13;"})
    return f"<{name}>{text}</{name}>" if text else f"<{name}/>"


def write_dump(records: Iterable[str]) -> bytes:
    """Write the unpacked dump; what is not ASCII is written by number, as Discogs does."""
    text = "".join(f"{record}\n" for record in records)
    return f"<releases>\n{text}</releases>\n".encode("ascii", "xmlcharrefreplace")


def save_dump(path: Path, unpacked: bytes) -> Path:
    """Save a dump, packed."""
    path.write_bytes(pack(unpacked))
    return path


def pack(unpacked: bytes) -> bytes:
    """Pack as gzip does, the same at every moment."""
    return gzip.compress(unpacked, mtime=0)


def sandbox_dump(inventory: Sequence[Listing]) -> bytes:
    """Make the dump of what the sandbox answers: each release once, in the order of their ids."""
    first_by_id = {listing.release_id: listing for listing in reversed(inventory)}
    releases = (render_release(listing) for _, listing in sorted(first_by_id.items()))
    return b"".join(render_dump(map(render_record, releases)))
