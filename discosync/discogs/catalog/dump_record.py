"""One record of the releases dump, parsed into credits.

Each record is parsed by itself. An XML parser allows entities, which could be made to fill the
memory, only before the first element, and a record starts with its first element.
"""

import re
from collections.abc import Mapping
from xml.etree import ElementTree as ET

from discosync.core.catalog.credits import ReleaseCredits, parse_release

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_REFERENCE = re.compile(r"&#(?:x([0-9A-Fa-f]{1,8})|([0-9]{1,10}));")


def parse_record(release_id: int, record: bytes) -> ReleaseCredits:
    """Parse the credits of one `<release>` element; raise `ValueError` with what is wrong.

    Characters that XML forbids are dropped: some dumps have them. Credits of single tracks are not
    the release's own and are left out, as they are from `GET /releases/{id}`.
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
        pass  # mending costs time, so only a record that needs it is mended
    try:
        return ET.fromstring(_mend(record))  # noqa: S314 - no entities, see above
    except ET.ParseError as exc:
        raise ValueError(f"not well-formed XML: {exc}") from exc


def _mend(record: bytes) -> str:
    """Return the text without control characters, as such or by number; broken UTF-8 becomes �."""
    text = _FORBIDDEN.sub("", record.decode(errors="replace"))
    return _REFERENCE.sub(_keep_if_allowed, text)


def _keep_if_allowed(reference: re.Match[str]) -> str:
    code = int(reference[1], 16) if reference[1] else int(reference[2])
    is_character = code < 0xD800 or 0xE000 <= code <= 0x10FFFF
    return reference[0] if is_character and not _FORBIDDEN.match(chr(code)) else ""


def _fields(artist: ET.Element) -> Mapping[str, str]:
    """Return an artist's fields, which are elements."""
    return {field.tag: (field.text or "").strip() for field in artist}


def _attributes(label: ET.Element) -> Mapping[str, str]:
    """Return a label's fields, which are attributes."""
    return {name: value.strip() for name, value in label.attrib.items()}
