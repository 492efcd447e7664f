"""Credits from a listing's own text: names, without ids.

A listing shows its artists as one text, which in general does not say where a name ends: `Tyler,
The Creator` is one artist, `Conway (6), DBA*` are two. So the text is cut only where a name must
end: after a number in brackets, by which Discogs tells equal names apart, and after the star that
marks a name variation (both observed in recorded answers). The star stays part of the name, because
the text does not say whose variation it is. Labels are joined by commas and are cut there, as for
the column `primary_label`.
"""

import re

from discosync.core.catalog.credits import ArtistCredit, LabelCredit, ReleaseCredits, is_too_long

SPECIAL_ARTISTS = {
    "Various": 194,
    "Unknown Artist": 355,
    "Traditional": 151641,
    "Anonymous": 967691,
}
"""Names that always stand for one and the same entry (observed in recorded answers and dumps)."""

SPECIAL_LABELS = {"Not On Label": 1818}

_ARTIST_END = re.compile(r"(?<=\*|\))(, | / | & | - | – | • | With | Feat\. | And | vs\. )")
_NUMBERED = re.compile(r".+ \(\d+\)")


def credits_by_name(
    release_id: int,
    *,
    artist_names: str | None,
    label_names: str | None,
    catalog_number: str | None,
) -> ReleaseCredits:
    """Return the credits that a listing's text shows; a field that is None gives none."""
    return ReleaseCredits(
        release_id=release_id,
        artists=tuple(_artists(artist_names or "")),
        labels=tuple(_labels(label_names or "", catalog_number or "")),
    )


def _artists(text: str) -> list[ArtistCredit]:
    return [
        ArtistCredit(
            discogs_id=SPECIAL_ARTISTS.get(name),
            name=name,
            join_phrase=join,
            name_variation=name.removesuffix("*") if name != "*" and name.endswith("*") else "",
        )
        for name, join in _cut(text.strip())
        if name and not is_too_long(name)
    ]


def _cut(text: str) -> list[tuple[str, str]]:
    """Cut a text into names, each with the phrase after it."""
    parts: list[tuple[str, str]] = []
    begin = 0
    for match in _ARTIST_END.finditer(text):
        name = text[begin : match.start()]
        if name.endswith("*") or _NUMBERED.fullmatch(name):
            parts.append((name, match[0].strip()))
            begin = match.end()
    return [*parts, (text[begin:].strip(), "")]


def _labels(names: str, numbers: str) -> list[LabelCredit]:
    parts = (part.strip() for part in names.split(", "))
    labels = [name for name in parts if name and not is_too_long(name)]
    catalog = [part.strip() for part in numbers.split(", ") if part.strip()]
    # Discogs shows equal numbers once (observed in exports).
    if len(catalog) == 1:
        catalog *= len(labels)
    # With another count nothing says which number is which label's.
    if len(catalog) != len(labels):
        catalog = [""] * len(labels)
    return [
        LabelCredit(discogs_id=SPECIAL_LABELS.get(name), name=name, catalog_number=number)
        for name, number in zip(labels, catalog, strict=True)
    ]
