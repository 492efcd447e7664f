"""One record of the releases dump: from its XML to the credits.

A record is parsed by itself, so a document type with its entities cannot stand in it.
"""

import re
from collections.abc import Mapping
from xml.etree import ElementTree as ET

from discosync.core.catalog.credits import ReleaseCredits, parse_release

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_REFERENCE = re.compile(r"&#(?:x([0-9A-Fa-f]{1,8})|([0-9]{1,10}));")


def parse_record(release_id: int, record: bytes) -> ReleaseCredits:
    """Read the credits of one `<release>` element; raise `ValueError` with what is wrong.

    Characters that XML forbids are dropped (some dumps have them). Credits of single tracks are
    not the release's own and are left out, as in `GET /releases/{id}`.
    """
    release = _parse(record)
    return parse_release(
        {
            "id": release_id,
            "artists": [_fields(artist) for artist in release.iterfind("artists/artist")],
            "extraartists": [_fields(artist) for artist in release.iterfind("extraartists/artist")],
            "labels": [_attributes(label) for label in release.iterfind("labels/label")],
        }
    )


def _parse(record: bytes) -> ET.Element:
    try:
        return ET.fromstring(record)  # noqa: S314 - no entities, see above
    except ET.ParseError:
        pass
    try:
        return ET.fromstring(_mend(record))  # noqa: S314 - no entities, see above
    except ET.ParseError as exc:
        raise ValueError(f"not well-formed XML: {exc}") from exc


def _mend(record: bytes) -> str:
    """Drop what XML forbids: control characters, as themselves or by number; broken UTF-8."""
    text = _FORBIDDEN.sub("", record.decode(errors="replace"))
    return _REFERENCE.sub(_keep_if_allowed, text)


def _keep_if_allowed(reference: re.Match[str]) -> str:
    code = int(reference[1], 16) if reference[1] else int(reference[2])
    is_character = code < 0xD800 or 0xE000 <= code <= 0x10FFFF
    return reference[0] if is_character and not _FORBIDDEN.match(chr(code)) else ""


def _fields(artist: ET.Element) -> Mapping[str, str]:
    """Read an artist, whose fields are elements."""
    return {field.tag: (field.text or "").strip() for field in artist}


def _attributes(label: ET.Element) -> Mapping[str, str]:
    """Read a label, whose fields are attributes."""
    return {name: value.strip() for name, value in label.attrib.items()}
