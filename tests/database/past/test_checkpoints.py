"""Checkpoints save time and decide nothing: the past is the same with and without them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from discosync.database.connection.engine import Database
from discosync.database.past.checkpoints import (
    load_covered,
    load_stretch,
    load_undone,
    make_checkpoints,
    record_checkpoint,
    remake_checkpoints,
)
from discosync.errors import StorageFailed

DAYS = ("2026-01-05", "2026-01-15", "2026-01-25", "2026-02-05", "2026-04-05")
Change = Callable[[int, str, int], None]


@pytest.fixture
def keys(filled: Database, insert_run: Callable[..., None]) -> list[int]:
    """Five runs, of which each makes listing 1 a cent dearer; the first also adds listing 2."""
    for day in DAYS:
        moment = f"{day} 10:00:00.000000"
        insert_run(day, started_at=moment, snapshot_as_of=moment)
    with filled.session(writes=True) as session:
        found = [row[0] for row in session.execute("SELECT id FROM sync_runs ORDER BY id")]
        for cents, key in enumerate(found):
            price = {"price_value": [f"1.0{cents}", f"1.0{cents + 1}"]}
            row = {"seller": "velvet", "sync_run_id": key}
            fields = json.dumps(price)
            session.insert("listing_changes", listing_id="1", kind="updated", fields=fields, **row)
        session.insert(
            "listing_changes", listing_id="2", kind="added", **{**row, "sync_run_id": found[0]}
        )
    return found


def _at(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def test_past_is_the_same_with_and_without_checkpoints(filled: Database, keys: list[int]) -> None:
    """Whatever moment is asked for, a checkpoint gives what its changes would."""
    with filled.session(writes=True) as session:
        plain = [load_stretch(session, "velvet", key, None).pack() for key in keys]
        assert make_checkpoints(session, "velvet", before=_at("2026-04-06")) == 5
        assert [load_undone(session, "velvet", key).pack() for key in keys] == plain


def test_stretch_that_may_still_grow_is_not_packed(filled: Database, keys: list[int]) -> None:
    """Thirds of a month and the quarter that ended; a second call has nothing left to pack."""
    first, second, third, fourth, _ = keys
    expected = {(key, key) for key in (first, second, third, fourth)} | {(first, fourth)}
    with filled.session(writes=True) as session:
        make_checkpoints(session, "velvet", before=_at("2026-04-06"))
        assert set(load_covered(session, "velvet")) == expected
        assert make_checkpoints(session, "velvet", before=_at("2026-04-06")) == 0
        assert load_covered(session, "velvet", thinned=True) == []
        assert load_covered(session, "other") == []


def test_run_packs_only_the_newest_stretch_that_it_closes(
    filled: Database, keys: list[int]
) -> None:
    """A run must not pay for a history of years; within a third it packs nothing."""
    with filled.session(writes=True) as session:
        record_checkpoint(session, "velvet", keys[1], _at("2026-01-06"))
        assert load_covered(session, "velvet") == []
        record_checkpoint(session, "velvet", keys[3], _at(DAYS[3]))
        assert load_covered(session, "velvet") == [(keys[2], keys[2])]


def test_changed_history_of_a_listing_is_packed_anew(filled: Database, keys: list[int]) -> None:
    """After a purge the checkpoints say no more of the listing than the history does."""
    with filled.session(writes=True) as session:
        make_checkpoints(session, "velvet", before=_at("2026-04-06"))
        session.execute("DELETE FROM listing_changes WHERE listing_id = '1'")
        remake_checkpoints(session, "velvet", [1])
        undone = load_undone(session, "velvet", keys[0])
        assert not any(undone.before.values())
        assert undone.unknown == {2}


def test_damaged_checkpoint_is_an_error_and_no_other_past(
    filled: Database, keys: list[int]
) -> None:
    """The hint says that its row can be deleted: it is made again."""
    with filled.session(writes=True) as session:
        make_checkpoints(session, "velvet", before=_at("2026-04-06"))
        session.execute("UPDATE history_checkpoints SET replaced = :packed", packed=b"no")
        with pytest.raises(StorageFailed) as told:
            load_undone(session, "velvet", keys[0])
    assert told.value.code == "bad_row"
