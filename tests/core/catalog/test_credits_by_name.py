"""Credits out of a listing's own text: cut only where a name must end."""

import pytest

from discosync.core.catalog.credits_by_name import credits_by_name


def _artists(text: str | None) -> list[tuple[str, str, str, int | None]]:
    found = credits_by_name(1, artist_names=text, label_names=None, catalog_number=None)
    return [(c.name, c.join_phrase, c.name_variation, c.discogs_id) for c in found.artists]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (None, []),
        ("", []),
        ("Nova", [("Nova", "", "", None)]),
        ("Tyler, The Maker", [("Tyler, The Maker", "", "", None)]),
        ("Earth, Wind & Tide", [("Earth, Wind & Tide", "", "", None)]),
        ("Nova (6), Tide Trio", [("Nova (6)", ",", "", None), ("Tide Trio", "", "", None)]),
        ("Nova* & Tide (2)", [("Nova*", "&", "Nova", None), ("Tide (2)", "", "", None)]),
        ("Nova (6) Feat. Tide*", [("Nova (6)", "Feat.", "", None), ("Tide*", "", "Tide", None)]),
        ("Nova (live), Tide", [("Nova (live), Tide", "", "", None)]),
        ("Various", [("Various", "", "", 194)]),
        ("Unknown Artist", [("Unknown Artist", "", "", 355)]),
        ("*", [("*", "", "", None)]),
        ("N" * 500, [("N" * 500, "", "", None)]),
    ],
)
def test_artists(text: str | None, names: list[tuple[str, str, str, int | None]]) -> None:
    """A number in brackets and a star end a name; a comma alone does not."""
    assert _artists(text) == names


@pytest.mark.parametrize(
    ("labels", "numbers", "expected"),
    [
        ("Orchard", "ORC 1", [("Orchard", "ORC 1", None)]),
        ("Orchard, Tide", "ORC 1, T 2", [("Orchard", "ORC 1", None), ("Tide", "T 2", None)]),
        (
            "Orchard, Tide, Nova",
            "X 1",
            [("Orchard", "X 1", None), ("Tide", "X 1", None), ("Nova", "X 1", None)],
        ),
        (
            "Orchard, Tide, Nova",
            "X 1, X 2",
            [("Orchard", "", None), ("Tide", "", None), ("Nova", "", None)],
        ),
        ("Orchard, Orchard", "A, B", [("Orchard", "A", None), ("Orchard", "B", None)]),
        ("Not On Label", "none", [("Not On Label", "none", 1818)]),
        ("Orchard", "", [("Orchard", "", None)]),
        (None, "X", []),
    ],
)
def test_labels(
    labels: str | None, numbers: str, expected: list[tuple[str, str, int | None]]
) -> None:
    """Numbers go with labels when they can: as many, or one for all; else with none."""
    found = credits_by_name(1, artist_names=None, label_names=labels, catalog_number=numbers)
    assert [(c.name, c.catalog_number, c.discogs_id) for c in found.labels] == expected
