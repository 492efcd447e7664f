"""Artists and labels are brought to what credits say, and what somebody wrote is kept."""

from collections.abc import Callable
from datetime import UTC, datetime

from discosync.core.catalog.credits import ArtistCredit
from discosync.database.catalog.entries import EntryTable, drop_unlinked, settle_entries
from discosync.database.connection.engine import Database
from discosync.database.connection.session import Session

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _credit(name: str, discogs_id: int | None = None) -> ArtistCredit:
    return ArtistCredit(name=name, discogs_id=discogs_id)


def _settle(
    session: Session, *credits_: ArtistCredit, names_may_be_ids: bool = False
) -> dict[int | str, str]:
    plan = settle_entries(
        session, EntryTable.ARTISTS, credits_, now=NOW, names_may_be_ids=names_may_be_ids
    )
    return dict(plan.uuid_by_key)


def test_entry_gets_its_id_and_discogs_name_later(filled: Database) -> None:
    """A name of a listing's text becomes the entry of its id; a new name follows Discogs."""
    with filled.session(writes=True) as session:
        by_name = _settle(session, _credit("Nina"), names_may_be_ids=True)
        by_id = _settle(session, _credit("Nina", 7))
        _settle(session, _credit("Nina S.", 7))
        rows = session.execute("SELECT uuid, discogs_id, name FROM artists").fetchall()

    assert [tuple(row) for row in rows] == [(by_name["Nina"], 7, "Nina S.")]
    assert by_id[7] == by_name["Nina"]


def test_only_mere_names_without_links_are_dropped(
    filled: Database, insert_listing: Callable[..., None]
) -> None:
    """An entry stays that has an id, that somebody described, or that a listing points to."""
    with filled.session(writes=True) as session:
        names = ("linked", "described", "bare")
        uuids = _settle(session, *map(_credit, names), names_may_be_ids=True)
        uuids |= _settle(session, _credit("numbered", 7))
        described = uuids["described"]
        session.execute("UPDATE artists SET profile = 'Hers.' WHERE uuid = :key", key=described)
    insert_listing("1", artist_id=uuids["linked"])

    with filled.session(writes=True) as session:
        drop_unlinked(session, EntryTable.ARTISTS, uuids.values())
        left = {name for (name,) in session.execute("SELECT name FROM artists")}

    assert left == {"linked", "described", "numbered"}
