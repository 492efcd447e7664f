"""The monthly releases dump in Discogs' form, made of made-up releases."""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from xml.etree import ElementTree as ET

from discosync.sandbox.releases import Json

_GZIP_FORM = 31  # to zlib: with gzip's header and checksum
_ARTIST_FIELDS = ("id", "name", "anv", "join", "role", "tracks")
_TRACK_FIELDS = ("position", "title", "duration")
_COMPANY_FIELDS = ("id", "name", "catno", "entity_type", "entity_type_name", "resource_url")


def render_dump(records: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a gzipped dump piece by piece, one record a line; Discogs orders them by id."""
    packer = zlib.compressobj(wbits=_GZIP_FORM)
    yield packer.compress(b"<releases>\n")
    for record in records:
        yield packer.compress(record + b"\n")
    yield packer.compress(b"</releases>\n") + packer.flush()


def render_record(release: Json) -> bytes:
    """Return one `<release>` element; what is not ASCII is written by number, as Discogs does."""
    record = ET.Element("release", id=str(release["id"]), status=release["status"])
    ET.SubElement(record, "images")
    _add_artists(record, "artists", release["artists"])
    _add(record, "title", release["title"])
    labels = ET.SubElement(record, "labels")
    for label in release["labels"]:
        ET.SubElement(
            labels, "label", name=label["name"], catno=label["catno"], id=str(label["id"])
        )
    _add_artists(record, "extraartists", release["extraartists"])
    _add_formats(record, release["formats"])
    genres = ET.SubElement(record, "genres")
    for genre in release["genres"]:
        _add(genres, "genre", genre)
    for name in ("country", "notes", "data_quality"):
        _add(record, name, release[name])
    _add_tracks(record, release["tracklist"])
    companies = ET.SubElement(record, "companies")
    for company in release["companies"]:
        _add_fields(ET.SubElement(companies, "company"), company, _COMPANY_FIELDS)
    return ET.tostring(record)


def _add_artists(parent: ET.Element, name: str, artists: Sequence[Json]) -> None:
    if artists:
        group = ET.SubElement(parent, name)
        for artist in artists:
            _add_fields(ET.SubElement(group, "artist"), artist, _ARTIST_FIELDS)


def _add_formats(record: ET.Element, formats: Sequence[Json]) -> None:
    group = ET.SubElement(record, "formats")
    for shown in formats:
        carrier = ET.SubElement(
            group, "format", name=shown["name"], qty=shown["qty"], text=shown["text"]
        )
        descriptions = ET.SubElement(carrier, "descriptions")
        for description in shown["descriptions"]:
            _add(descriptions, "description", description)


def _add_tracks(record: ET.Element, tracks: Sequence[Json]) -> None:
    """Add tracks. Their artists have the same element names as the release's own, deeper down."""
    tracklist = ET.SubElement(record, "tracklist")
    for shown in tracks:
        track = ET.SubElement(tracklist, "track")
        _add_fields(track, shown, _TRACK_FIELDS)
        _add_artists(track, "artists", shown.get("artists", ()))
        _add_artists(track, "extraartists", shown.get("extraartists", ()))


def _add_fields(parent: ET.Element, shown: Json, names: Iterable[str]) -> None:
    for name in names:
        _add(parent, name, shown[name])


def _add(parent: ET.Element, name: str, text: object) -> None:
    ET.SubElement(parent, name).text = str(text if text is not None else "")
