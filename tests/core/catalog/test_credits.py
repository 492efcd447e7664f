"""The credits of a release, read from Discogs' answer."""

from typing import Any

import pytest

from discosync.core.catalog.credits import (
    MAX_CREDITS,
    ArtistCredit,
    LabelCredit,
    artist_credit,
    label_credit,
    parse_release,
)


def test_credits_are_read_in_their_order() -> None:
    """Main artists come first, then the others with their roles; labels keep their numbers."""
    release = {
        "id": 249_001,
        "artists": [
            {"id": 11, "name": "The Hollow (2)", "anv": "Hollow", "join": "Feat.", "role": ""},
            {"id": 12, "name": "Ilse Marrow", "anv": "", "join": "", "role": "", "tracks": ""},
        ],
        "extraartists": [{"id": 13, "name": "Tobin Hale", "role": "Mixed By"}],
        "labels": [{"id": 5, "name": "Orchard", "catno": "ORC 1", "entity_type": "1"}],
        "companies": [{"id": 6, "name": "Meridian Pressing", "catno": ""}],
        "tracklist": [{"title": "Part 1", "artists": [{"id": 99, "name": "Track Guest"}]}],
    }

    credits_of = parse_release(release)

    assert credits_of.release_id == 249_001
    assert credits_of.artists == (
        ArtistCredit(
            discogs_id=11, name="The Hollow (2)", join_phrase="Feat.", name_variation="Hollow"
        ),
        ArtistCredit(discogs_id=12, name="Ilse Marrow"),
        ArtistCredit(discogs_id=13, name="Tobin Hale", role="Mixed By"),
    )
    assert credits_of.labels == (LabelCredit(discogs_id=5, name="Orchard", catalog_number="ORC 1"),)


@pytest.mark.parametrize(
    ("shown", "read"),
    [(0, None), ("0", None), (None, None), ("", None), (7, 7), ("7", 7), (2**31 - 1, 2**31 - 1)],
)
def test_id_0_is_a_name_without_an_entry(shown: object, read: int | None) -> None:
    """An id may be text; 0 or none at all means that only the name is known."""
    assert artist_credit({"id": shown, "name": "Somebody"}).discogs_id == read
    assert label_credit({"id": shown, "name": "Some Label"}).discogs_id == read


def test_same_label_twice_stays_two() -> None:
    """A label stands on a release once for each of its numbers there, in order."""
    numbers = ["SK 026", "SK026", "SK 026"]
    labels = [{"id": 5, "name": "Orchard", "catno": number} for number in numbers]
    assert [x.catalog_number for x in parse_release({"id": 2, "labels": labels}).labels] == numbers


@pytest.mark.parametrize("release", [{"id": 3}, {"id": "3", "artists": [], "labels": None}])
def test_nobody_is_credited(release: dict[str, Any]) -> None:
    """A release without artists or labels is one all the same."""
    credits_of = parse_release(release)
    assert (credits_of.release_id, credits_of.artists, credits_of.labels) == (3, (), ())


@pytest.mark.parametrize("count", [50, MAX_CREDITS])
def test_many_labels_are_all_kept(count: int) -> None:
    """Fifty labels are unusual, but they are labels; so is whatever the limit allows."""
    labels = [{"id": n + 1, "name": f"Label {n}", "catno": ""} for n in range(count)]
    assert len(parse_release({"id": 4, "labels": labels}).labels) == count


@pytest.mark.parametrize("name", ["x" * 500, "ü" * 500, "𝄞" * 500])
def test_long_names_are_whole(name: str) -> None:
    """A name of 500 characters loses none."""
    assert artist_credit({"id": 1, "name": name}).name == name


@pytest.mark.parametrize(
    ("shown", "read"),
    [("  The Hollow \n", "The Hollow"), ("A\0B", "AB"), ("A\ud800B", "A?B"), ("'[x]' & Ö", None)],
)
def test_names_are_text_to_a_database(shown: str, read: str | None) -> None:
    """What no database stores is taken out of a name; everything else stays."""
    assert label_credit({"id": 1, "name": shown}).name == (read or shown)


@pytest.mark.parametrize(
    "release",
    [
        {},
        {"id": None},
        {"id": "five"},
        {"id": "-5"},
        {"id": "٥"},
        {"id": 5.0},
        {"id": True},
        {"id": [5]},
        {"message": "Release not found."},
        {"id": 5, "artists": "The Hollow"},
        {"id": 5, "artists": {"name": "The Hollow"}},
        {"id": 5, "artists": 7},
        {"id": 5, "artists": ["The Hollow"]},
        {"id": 5, "artists": [None]},
        {"id": 5, "artists": [{"id": 1}]},
        {"id": 5, "artists": [{"id": 1, "name": ""}]},
        {"id": 5, "artists": [{"id": 1, "name": " \0 "}]},
        {"id": 5, "artists": [{"id": 1, "name": 12}]},
        {"id": 5, "artists": [{"id": "x", "name": "The Hollow"}]},
        {"id": 5, "artists": [{"id": -1, "name": "The Hollow"}]},
        {"id": 5, "artists": [{"id": 2**31, "name": "The Hollow"}]},
        {"id": 5, "artists": [{"id": "9" * 5000, "name": "The Hollow"}]},
        {"id": 5, "artists": [{"id": 1, "name": "The Hollow", "anv": {}}]},
        {"id": 5, "extraartists": [{"id": 1, "name": "The Hollow", "role": ["Mixed By"]}]},
        {"id": 5, "labels": [{"id": 1, "catno": "ORC 1"}]},
        {"id": 5, "labels": [{"id": 1, "name": "Orchard", "catno": 1}]},
        {"id": 5, "labels": [{"id": 1, "name": "Orchard"}] * (MAX_CREDITS + 1)},
    ],
    ids=lambda release: str(release)[:60],
)
def test_garbage_is_a_value_error(release: dict[str, Any]) -> None:
    """What is no release, or has no proper credits, is refused and never half read."""
    with pytest.raises(ValueError, match=r"id|name|list of credits|holds|text|digits"):
        parse_release(release)
