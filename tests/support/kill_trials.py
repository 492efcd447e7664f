"""One run of a scenario that is killed at a point, and what must be true afterwards."""

import re
import signal
from dataclasses import dataclass
from pathlib import Path

from tests.support.kill_scenarios import Scenario, Shop
from tests.support.killing import Ended, interrupt, last_commit, run_through
from tests.support.mirror_state import (
    State,
    check_history_only_grew,
    check_integrity,
    check_one_record_a_run,
    check_token_is_nowhere,
    meaning_of,
    state_of,
)

_NUMBERS = ("id", "sync_run_id")
"""Numbers of rows: a transaction that was rolled back has used some up."""

_NOT_COMPARED = ("sync_runs", "flag_events", *_NUMBERS)
"""What a second run adds to."""

_UNIQUE = re.compile(r"[0-9a-f]{8,}|\d+|(?<=tmp/)\S+|test_\w+")
STATUS_BY_ACTION = {"term": 143, "hup": 143, "int": 130}
"""The status of a command that was asked to end in this way, and has changed nothing."""

MOST_HANDLES = 24
"""More open files and connections than any command needs at once."""


@dataclass(slots=True)
class Expected:
    """What a scenario leaves when nothing goes wrong: at once, and after the run that follows it.

    `states` is what is there once so many commits are through.
    """

    ended: Ended
    before: State
    after: State
    converged: State
    files: set[str]
    states: dict[int, State]


def chosen_points(expected: Expected, share: float) -> list[int]:
    """Choose the point at this share of the way, and those where a half-done write would show.

    These are in the last bulk write, and on both sides of the last commit.
    """
    points = expected.ended.points
    numbers = {1 + int(len(points) * share)}
    if "before a row" in points:
        numbers.add(len(points) - points[::-1].index("before a row"))
    if "before COMMIT" in points:
        numbers |= {last_commit(points), last_commit(points) + 1}
    return sorted(numbers)


def arguments_of(shop: Shop, scenario: Scenario) -> list[str]:
    """Give the command of a scenario, with what its preparation found."""
    return [argument.format(**shop.known) for argument in scenario.command]


def expect(shop: Shop, scenario: Scenario, directory: Path) -> Expected:
    """Let the scenario run through, and again."""
    arguments = arguments_of(shop, scenario)
    with shop.copied(directory) as copy:
        before, meaning = state_of(copy.program), meaning_of(copy.program, without=_NUMBERS)
        copy.sandbox.state.exports.clear()
        ended = run_through(copy.program, *arguments)
        assert ended.status == 0, ended.stderr
        assert ended.handles["after"] == ended.handles["before"], ended.handles
        assert ended.handles["peak"] <= MOST_HANDLES, ended.handles
        check_token_is_nowhere(copy.program, ended.stdout, ended.stderr)
        after = meaning_of(copy.program, without=_NUMBERS)
        run_again(copy, scenario)
        converged = meaning_of(copy.program, without=_NOT_COMPARED)
        files = _files(copy)
    states = {0: meaning}
    return Expected(ended, before, after, converged, files, states)


def run_again(shop: Shop, scenario: Scenario) -> Ended:
    """Run what comes next, as cron would."""
    shop.sandbox.state.exports.clear()
    ended = run_through(shop.program, *(scenario.again or arguments_of(shop, scenario)))
    assert ended.status in scenario.again_ends, (ended.status, ended.stderr)
    return ended


def kill(shop: Shop, scenario: Scenario, expected: Expected, number: int) -> bool:
    """Kill the scenario at a point; return whether everything is as it was before.

    What is there must be what was there before, or what a whole run leaves, or, of a command that
    commits in parts, what so many commits always leave.
    """
    shop.sandbox.state.exports.clear()
    ended = interrupt(shop.program, "kill", number, *arguments_of(shop, scenario))
    where = f"killed at point {number}, {ended.points[-1]!r}"
    # With what earlier kills have left, the way to the end may be a few points shorter.
    assert ended.status in {-signal.SIGKILL, 0, 3}, f"{where}: it ended with {ended.status}"
    return _check_state(shop, scenario, expected, ended, where)


def stop(shop: Shop, scenario: Scenario, expected: Expected, number: int, action: str) -> bool:
    """Ask the scenario to end at a point; return whether everything is as it was before.

    `action` is one of `STATUS_BY_ACTION`. The status that belongs to it says that nothing was
    changed; 0 and 3 say that the command has done its work.
    """
    shop.sandbox.state.exports.clear()
    ended = interrupt(shop.program, action, number, *arguments_of(shop, scenario))
    where = f"{action} at point {number}, {ended.points[min(number, len(ended.points)) - 1]!r}"
    asked = STATUS_BY_ACTION[action]
    assert ended.status in {asked, 0, 3}, f"{where}: it ended with {ended.status}"
    # What is whole is committed before a command that works in parts ends: any number of parts.
    if scenario.has_parts and ended.status != asked:
        check_integrity(shop.program)
        return state_of(shop.program) == expected.before
    is_before = _check_state(shop, scenario, expected, ended, where)
    # A first load makes the empty tables in a transaction of its own.
    may_have_made_tables = scenario.name.endswith("-first")
    unchanged = is_before or may_have_made_tables or ended.status != asked
    assert unchanged, f"{where}: {asked}, and data was changed"
    return is_before


def _check_state(
    shop: Shop, scenario: Scenario, expected: Expected, ended: Ended, where: str
) -> bool:
    check_integrity(shop.program)
    check_one_record_a_run(shop.program)
    now = state_of(shop.program)
    if now == expected.before:
        return True
    meaning = meaning_of(shop.program, without=_NUMBERS)
    if not scenario.is_rewriting:
        check_history_only_grew(expected.before, now)
    if scenario.has_parts:
        commits = sum(point == "after COMMIT" for point in ended.points)
        assert meaning == expected.states.setdefault(commits, meaning), where
        assert _active(now) >= _active(expected.before) or meaning == expected.after, where
    else:
        assert meaning == expected.after, where
    return False


def check_next_run(shop: Shop, scenario: Scenario, expected: Expected) -> None:
    """Check that the next run works, gets to the same state, and leaves nothing behind."""
    ended = run_again(shop, scenario)
    assert meaning_of(shop.program, without=_NOT_COMPARED) == expected.converged
    left = _files(shop) - expected.files
    assert not left, f"left behind: {left}"
    check_token_is_nowhere(shop.program, ended.stdout, ended.stderr)


def _active(state: State) -> int:
    return sum("For Sale" in row for row in state.get("listings", ()))


def _files(shop: Shop) -> set[str]:
    directory = shop.program.directory
    paths = (str(path.relative_to(directory)) for path in directory.rglob("*"))
    return {_UNIQUE.sub("…", path) for path in paths}
