"""Listings have exactly the links that are asked for."""

from collections.abc import Callable

import pytest

from discosync.core.catalog.links import ArtistLink, LabelLink, Links
from discosync.database.catalog.links import load_links, lock_listings, write_links
from discosync.database.connection.engine import Database

OWNER = ("velvet", "1")


@pytest.fixture
def linkable(filled: Database, insert_listing: Callable[..., None]) -> Database:
    """A listing, two artists and a label."""
    insert_listing("1")
    moment = "2026-03-01 12:00:00.000000"
    with filled.session(writes=True) as session:
        for table, uuid in (("artists", "a"), ("artists", "b"), ("labels", "l")):
            session.execute(
                f"INSERT INTO {table} (uuid, name, created_at, updated_at) "
                "VALUES (:uuid, :name, :made, :changed)",
                uuid=uuid,
                name=uuid,
                made=moment,
                changed=moment,
            )
    return filled


def _artist(uuid: str, role: str | None = None) -> ArtistLink:
    return ArtistLink(artist_id=uuid, role=role, name_variation=None, join_phrase=None)


def test_links_replace_those_before_and_tell_what_lost_one(linkable: Database) -> None:
    """Order, roles and the primary artist come back; who lost a link may be a mere name now."""
    first = Links(
        artists=(_artist("a", "Producer"), _artist("b")), labels=(LabelLink("l", "CAT 1"),)
    )
    second = Links(artists=(_artist("a"),))
    with linkable.session(writes=True) as session:
        assert write_links(session, {OWNER: first}).listings == 1
        assert load_links(session, [OWNER]) == {OWNER: first}
        written = write_links(session, {OWNER: second})
        row = session.execute("SELECT artist_id, label_id FROM listings").fetchone()

    assert written.left_artists == {"a", "b"}
    assert written.left_labels == {"l"}
    assert tuple(row) == ("a", None)


def test_listing_that_has_its_links_already_is_not_touched(linkable: Database) -> None:
    """Writing the same links again writes nothing."""
    links = Links(artists=(_artist("a"),))
    for expected in (1, 0):
        with linkable.session(writes=True) as session:
            assert write_links(session, {OWNER: links}).listings == expected


def test_only_listings_that_are_there_are_held(linkable: Database) -> None:
    """Of another seller, or purged meanwhile: not held, and so not linked."""
    with linkable.session(writes=True) as session:
        assert lock_listings(session, "velvet", ["1", "2"]) == {"1"}
        assert lock_listings(session, "other", ["1"]) == set()
