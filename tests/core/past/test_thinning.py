"""Stretches of history: what they replaced, packed and put together; and thinning them."""

import json
import random
from itertools import pairwise

import pytest

from discosync.core.past.thinning import MERGED, HistoryRow, Thinning, ThinningCheck
from discosync.core.past.undone import Undone

SEEDS = range(40)


def _history(seed: int, count: int = 200) -> list[HistoryRow]:
    """A made-up history of a few listings in which each change follows the one before."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    state: dict[int, dict[str, object]] = {}
    rows: list[HistoryRow] = []
    for row in range(count):
        listing = chance.randrange(8)
        if listing not in state:
            state[listing] = {"price": "1", "quantity": 1, "accepts": True, "comments": None}
            rows.append((row, listing, "added", None))
            continue
        fields = {}
        for name in chance.sample(sorted(state[listing]), chance.choice((1, 1, 2))):
            after = chance.choice(("1", "2", None, 1, True, 'a": [b'))
            fields[name] = [state[listing][name], after]
            state[listing][name] = after
        kind = chance.choice(("updated",) * 6 + ("removed", "reactivated", MERGED))
        rows.append((row, listing, kind, json.dumps(fields)))
    return rows


def _undone(rows: list[HistoryRow]) -> Undone:
    undone = Undone()
    undone.undo([row[1:] for row in rows])
    return undone


def _typed(undone: Undone) -> str:
    """Write it with its types: to Python 1 is True."""
    before = {f: dict(sorted(v.items())) for f, v in sorted(undone.before.items()) if v}
    return json.dumps([before, sorted(undone.unknown)])


@pytest.mark.parametrize("seed", SEEDS)
def test_stretches_put_together_are_the_whole(seed: int) -> None:
    """Wherever a history is cut, and whichever parts are packed, it undoes the same."""
    rows = _history(seed)
    cuts = sorted(random.Random(seed).sample(range(len(rows)), 3))  # noqa: S311 - no secret
    parts = [rows[a:b] for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
    together = Undone()
    for at, part in reversed(list(enumerate(parts))):
        if at % 2:
            together.precede(_undone(part))
        else:
            together.precede_packed(_undone(part).pack())
    assert _typed(together) == _typed(_undone(rows))


def test_packing_nothing_and_reading_rubbish() -> None:
    """An empty stretch is one too; what is no checkpoint is refused."""
    undone = Undone()
    undone.precede_packed(Undone().pack())
    assert _typed(undone) == "[{}, []]"
    for rubbish in (b"", b"x", Undone().pack()[:-3]):
        with pytest.raises(ValueError, match="no checkpoint"):
            undone.precede_packed(rubbish)


def test_forgotten_listings_leave_nothing() -> None:
    """A listing that is left out is in no field and not among the unknown ones."""
    undone = _undone(_history(1))
    undone.forget([0, 3, 99])
    assert not {0, 3} & undone.unknown
    assert not any({0, 3} & set(values) for values in undone.before.values())
    assert undone.before["price"]


def _thin(rows: list[HistoryRow]) -> list[HistoryRow]:
    thinning = Thinning()
    for start in range(0, len(rows), 7):
        thinning.feed(rows[start : start + 7])
    thinned = thinning.finish()
    rewritten = dict(thinned.rewritten)
    left = [
        (row, listing, MERGED, rewritten[row]) if row in rewritten else (row, listing, kind, fields)
        for row, listing, kind, fields in rows
        if row not in set(thinned.gone)
    ]
    assert len(left) == thinned.rows_after
    return left


@pytest.mark.parametrize("seed", SEEDS)
def test_thinning_keeps_ends_and_turns(seed: int) -> None:
    """What each field was at first and at last between two turns is the same; twice is once."""
    rows = _history(seed)
    left = _thin(rows)
    assert len(left) < len(rows)
    before, after = ThinningCheck(), ThinningCheck()
    before.feed(rows)
    after.feed(left)
    assert (before.turns, before.ends) == (after.turns, after.ends)
    assert _thin(left) == left
    kinds = [(listing, kind in {"updated", MERGED}) for _, listing, kind, _ in left]
    for number in range(8):
        own = [is_thinned for listing, is_thinned in kinds if listing == number]
        assert not any(a and b for a, b in pairwise(own))


@pytest.mark.parametrize("seed", SEEDS)
def test_thinning_does_not_change_what_the_whole_undoes(seed: int) -> None:
    """A thinned stretch undoes what the stretch undid, changes that cancel out apart."""
    rows = _history(seed)
    whole, thinned = _undone(rows), _undone(_thin(rows))
    assert thinned.unknown == whole.unknown
    last: dict[tuple[str, int], object] = {}
    for _, listing, _, fields in rows:
        for name, (_, after) in (json.loads(fields) if fields else {}).items():
            last[name, listing] = after
    for name, values in whole.before.items():
        for listing, value in values.items():
            assert thinned.before.get(name, {}).get(listing, last[name, listing]) == value


def test_the_check_notices() -> None:
    """A lost turn, another end and another beginning each make a difference."""
    rows: list[HistoryRow] = [
        (1, 5, "updated", '{"price": ["1", "2"]}'),
        (2, 5, "removed", '{"is_active": [true, false]}'),
        (3, 5, "updated", '{"price": ["2", "3"]}'),
    ]

    def seen(history: list[HistoryRow]) -> tuple[object, object]:
        check = ThinningCheck()
        check.feed(history)
        return check.turns, check.ends

    for harmed in (
        [rows[0], rows[2]],
        rows[:2],
        [(1, 5, "updated", '{"price": ["1", "9"]}'), *rows[1:]],
        [(1, 5, "updated", '{"price": ["9", "2"]}'), *rows[1:]],
        [rows[1], rows[0], rows[2]],
    ):
        assert seen(harmed) != seen(rows)
