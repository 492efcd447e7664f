"""Which entries of artists and labels a set of credits needs, and which are one."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discosync.core.catalog.credits import ArtistCredit
from discosync.core.catalog.entries import Entry, EntryPlan, plan_entries


def _credit(number: int | None, name: str) -> ArtistCredit:
    return ArtistCredit(discogs_id=number, name=name)


def _uuids() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"new {next(numbers)}"


def _plan(
    credits_: Iterable[ArtistCredit], *known: Entry, names_may_be_ids: bool = False
) -> EntryPlan:
    return plan_entries(credits_, known, new_uuid=_uuids(), names_may_be_ids=names_may_be_ids)


def _entry(uuid: str, number: int | None, name: str, *, is_curated: bool = False) -> Entry:
    return Entry(uuid=uuid, discogs_id=number, name=name, is_curated=is_curated)


def test_a_new_artist_is_added_once() -> None:
    """However often it is credited."""
    plan = _plan([_credit(5, "Nova"), _credit(5, "Nova")])
    assert plan.added == (_entry("new 1", 5, "Nova"),)
    assert plan.uuid_by_key == {5: "new 1"}


def test_a_known_artist_is_left_alone() -> None:
    """Nothing changes when everything is known."""
    plan = _plan([_credit(5, "Nova")], _entry("a", 5, "Nova"))
    assert (plan.added, plan.numbered, plan.renamed, plan.merged) == ((), {}, {}, {})
    assert plan.uuid_by_key == {5: "a"}


def test_an_entry_by_name_learns_its_id_and_keeps_its_uuid() -> None:
    """What a shop's site links to stays."""
    plan = _plan([_credit(5, "Nova")], _entry("a", None, "Nova"))
    assert (plan.added, plan.numbered) == ((), {"a": 5})
    assert plan.uuid_by_key == {5: "a"}


def test_an_entry_by_name_moves_to_the_one_with_the_id() -> None:
    """Two entries of one artist become one: that with the id."""
    plan = _plan([_credit(5, "Nova")], _entry("a", None, "Nova"), _entry("b", 5, "Nova"))
    assert plan.merged == {"a": "b"}
    assert plan.uuid_by_key == {5: "b"}


def test_two_curated_entries_are_not_merged() -> None:
    """A program cannot put together what two people wrote."""
    by_name = _entry("a", None, "Nova", is_curated=True)
    assert (
        _plan([_credit(5, "Nova")], by_name, _entry("b", 5, "Nova", is_curated=True)).merged == {}
    )
    assert _plan([_credit(5, "Nova")], by_name, _entry("b", 5, "Nova")).merged == {"a": "b"}


@pytest.mark.parametrize(
    ("credits_", "known"),
    [
        ([_credit(5, "Nova"), _credit(6, "Nova")], ()),
        ([_credit(5, "Nova")], (_entry("c", 6, "Nova"),)),
    ],
)
def test_equal_names_with_different_ids_say_nothing(
    credits_: list[ArtistCredit], known: tuple[Entry, ...]
) -> None:
    """An entry by name that might be either stays what it is."""
    plan = _plan(credits_, _entry("a", None, "Nova"), *known)
    assert (plan.numbered, plan.merged) == ({}, {})
    assert len(set(plan.uuid_by_key.values())) == len(credits_)
    assert "a" not in plan.uuid_by_key.values()


def test_a_name_that_changed_its_number_is_followed() -> None:
    """`Nova (2)` became `Nova (3)`: one artist, by its id."""
    plan = _plan([_credit(5, "Nova (3)")], _entry("a", 5, "Nova (2)"))
    assert (plan.renamed, plan.added) == ({"a": "Nova (3)"}, ())


def test_a_name_taken_over_by_another_artist_is_that_ones() -> None:
    """When 5 gives up `Nova` and 6 takes it, in one batch, the entry by name is 6's."""
    plan = _plan(
        [_credit(5, "Nova (2)"), _credit(6, "Nova")],
        _entry("a", 5, "Nova"),
        _entry("b", None, "Nova"),
    )
    assert plan.renamed == {"a": "Nova (2)"}
    assert plan.numbered == {"b": 6}


def test_a_credit_without_an_entry_is_nobody_with_an_id() -> None:
    """Discogs' id 0 says that the name has no entry, whoever else is called so, now or later."""
    unlisted = Entry(uuid="new 1", discogs_id=None, name="Nova", is_unlisted=True)
    assert _plan([_credit(None, "Nova")], _entry("a", 5, "Nova")).added == (unlisted,)
    later = _plan([_credit(5, "Nova")], unlisted)
    assert (later.added, later.numbered, later.merged) == ((_entry("new 1", 5, "Nova"),), {}, {})
    again = _plan([_credit(None, "Nova")], unlisted, _entry("b", None, "Nova"))
    assert (again.added, again.uuid_by_key) == ((), {"Nova": "new 1"})


def test_a_listings_own_name_means_the_one_artist_of_that_name() -> None:
    """By name only, one entry with that name is the entry; of two, neither."""
    one = _plan([_credit(None, "Nova")], _entry("a", 5, "Nova"), names_may_be_ids=True)
    assert (one.added, one.uuid_by_key) == ((), {"Nova": "a"})
    two = _plan(
        [_credit(None, "Nova")],
        _entry("a", 5, "Nova"),
        _entry("b", 6, "Nova"),
        names_may_be_ids=True,
    )
    assert [entry.discogs_id for entry in two.added] == [None]


_NAMES = st.sampled_from(["Nova", "Nova (2)", "Tide", "Various"])
_CREDITS = st.lists(st.builds(_credit, st.none() | st.integers(1, 4), _NAMES), max_size=8)


@given(names=_CREDITS, earlier=_CREDITS, credits_=_CREDITS)
def test_planning_twice_changes_nothing(
    names: list[ArtistCredit], earlier: list[ArtistCredit], credits_: list[ArtistCredit]
) -> None:
    """After plans are carried out, the same credits find everything as they want it.

    Names first, then what Discogs says of other releases, then of these, then of all again. Every
    credit gets an entry, and no two entries have one id.
    """
    entries: dict[str, Entry] = {}
    new_uuid = _uuids()
    nameless = [_credit(None, credit.name) for credit in names]
    last = {c.discogs_id: c for c in (*earlier, *credits_) if c.discogs_id is not None}
    settled = [last.get(c.discogs_id, c) if c.discogs_id else c for c in (*earlier, *credits_)]
    for batch in (nameless, earlier, credits_, settled, settled[::-1]):
        plan = plan_entries(
            batch, list(entries.values()), new_uuid=new_uuid, names_may_be_ids=batch is nameless
        )
        for entry in entries.values():
            number = plan.numbered.get(entry.uuid, entry.discogs_id)
            name = plan.renamed.get(entry.uuid, entry.name)
            entries[entry.uuid] = replace(entry, discogs_id=number, name=name)
        entries |= {entry.uuid: entry for entry in plan.added}
        for old in plan.merged:
            del entries[old]
        assert set(plan.uuid_by_key.values()) <= set(entries)
        numbers = [e.discogs_id for e in entries.values() if e.discogs_id is not None]
        assert len(numbers) == len(set(numbers))
        for credit in batch:
            if credit.discogs_id is not None:
                assert entries[plan.uuid_by_key[credit.discogs_id]].discogs_id == credit.discogs_id
    assert (plan.added, plan.numbered, plan.renamed, plan.merged) == ((), {}, {}, {})
