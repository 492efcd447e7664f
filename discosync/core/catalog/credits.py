"""The credits of a release: its artists and labels, from the API, the dump, or a listing's text.

As observed in recorded answers and dumps, 2020 to 2026: the id 0 stands for a name without an entry
of its own. A label stands on a release once for each catalogue number, so only the position tells
such credits apart. `anv` is the name as printed, empty if it is the artist's own; `join` is the
text between this artist and the next one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAX_NAME_BYTES = 2_000
"""The longest name: Postgres indexes texts of up to 2,704 bytes."""

MAX_CREDITS = 2_000
"""The most credits of one kind on a release; more than that is garbage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtistCredit:
    """An artist on a release; `discogs_id` is None if only the name is known."""

    discogs_id: int | None
    name: str
    join_phrase: str = ""
    role: str = ""
    name_variation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCredit:
    """A label on a release, with one of its catalogue numbers."""

    discogs_id: int | None
    name: str
    catalog_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseCredits:
    """All credits of a release, in its own order: the main artists, then the others with roles."""

    release_id: int
    artists: tuple[ArtistCredit, ...]
    labels: tuple[LabelCredit, ...]


def parse_release(release: Mapping[str, Any]) -> ReleaseCredits:
    """Parse an answer of `GET /releases/{id}`; raise `ValueError` for anything else."""
    return ReleaseCredits(
        release_id=_number(release.get("id")),
        artists=tuple(
            artist_credit(entry)
            for name in ("artists", "extraartists")
            for entry in _entries(release, name)
        ),
        labels=tuple(label_credit(entry) for entry in _entries(release, "labels")),
    )


def artist_credit(entry: Mapping[str, Any]) -> ArtistCredit:
    """Parse an artist: `id`, `name`, `anv`, `join`, `role`; raise `ValueError` without a name."""
    return ArtistCredit(
        discogs_id=_id(entry.get("id")),
        name=_name(entry.get("name")),
        join_phrase=_text(entry.get("join")),
        role=_text(entry.get("role")),
        name_variation=_text(entry.get("anv")),
    )


def label_credit(entry: Mapping[str, Any]) -> LabelCredit:
    """Parse a label: `id`, `name`, `catno`; raise `ValueError` without a name."""
    return LabelCredit(
        discogs_id=_id(entry.get("id")),
        name=_name(entry.get("name")),
        catalog_number=_text(entry.get("catno")),
    )


def _entries(release: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    # An answer may lack a kind of credits, or hold null for it: then there are none.
    entries = release.get(name) or ()
    if not isinstance(entries, Sequence) or isinstance(entries, str) or len(entries) > MAX_CREDITS:
        raise ValueError(f"{name} is not a list of credits ({MAX_CREDITS:,} at most)")
    for entry in entries:
        if not isinstance(entry, Mapping):
            raise ValueError(f"{name} holds {type(entry).__name__}")  # noqa: TRY004 - bad data
        yield entry


def _number(value: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(f"{str(value)[:50]!r} is not an id")


def _id(value: object) -> int | None:
    """Parse an id; return None for 0 and for no id: Discogs has no entry for the name."""
    number = 0 if value is None or value == "" else _number(value)
    # The column is a 32-bit integer; Discogs' artists and labels are far from that.
    if number < 0 or number >= 2**31:
        raise ValueError(f"{number} is not a possible id")
    return number or None


def _name(value: object) -> str:
    name = _text(value)
    if not name:
        raise ValueError("a credit has no name")
    if is_too_long(name):
        raise ValueError(f"a name has {len(name):,} characters")
    return name


def is_too_long(name: str) -> bool:
    """Return whether a name is too long for an index; Discogs' own have some hundred characters."""
    # A character has four bytes at most: the usual name is not encoded for this.
    return len(name) * 4 > MAX_NAME_BYTES and len(name.encode()) > MAX_NAME_BYTES


def _text(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(f"a text was expected, not {type(value).__name__}")  # noqa: TRY004 - bad data
    # A database takes neither NUL nor half a character (a lone surrogate).
    return value.replace("\0", "").encode(errors="replace").decode().strip()
