"""The list of mutants that no test can notice is one that its command can read."""

import importlib
from functools import reduce

import pytest

from tests.support.mutants import LISTED, Mutant, parse_listed, parse_shown, room_tests_of

SHOWN = """\
# discosync.core.planning.plan.xǁPlannerǁreject__mutmut_3: survived
--- discosync/core/planning/plan.py
+++ discosync/core/planning/plan.py
@@ -1,3 +1,3 @@
     def reject(self, record: RejectedRecord) -> None:
-        if len(self._rejected) > MAX_REJECTED:
+        if len(self._rejected) >= MAX_REJECTED:
             raise
"""
MUTANT = Mutant(
    "discosync.core.planning.plan.Planner.reject",
    ("if len(self._rejected) > MAX_REJECTED:",),
    ("if len(self._rejected) >= MAX_REJECTED:",),
)


def test_every_listed_mutant_is_of_a_function_and_has_a_reason() -> None:
    """A function that is gone leaves no entry behind."""
    for mutant in parse_listed(LISTED.read_text()):
        names = mutant.function.split(".")
        depth = next(n for n in range(len(names), 0, -1) if _is_module(".".join(names[:n])))
        reduce(getattr, names[depth:], importlib.import_module(".".join(names[:depth])))
        assert mutant.before != mutant.after


def _is_module(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        return False
    return True


def test_what_mutmut_shows_is_what_the_list_says() -> None:
    """A mutant is known by its function and its lines, wherever they stand."""
    shown = parse_shown("discosync.core.planning.plan.xǁPlannerǁreject__mutmut_3", SHOWN)
    assert shown == MUTANT
    assert parse_listed(f"# a comment\n{shown}\n  It is the same,\n  because.\n") == {
        MUTANT: "It is the same, because."
    }
    plain = parse_shown("discosync.core.flags.x__resolve__mutmut_13", SHOWN)
    assert plain.function == "discosync.core.flags._resolve"


def test_listed_mutant_needs_a_reason() -> None:
    """Otherwise anything could be listed."""
    with pytest.raises(AssertionError, match="without a reason"):
        parse_listed(str(MUTANT))


def test_module_is_tried_against_the_room_tests_of_its_room() -> None:
    """A module of a room with its room, one beside the rooms by itself."""
    assert room_tests_of("core/planning/plan.py") == "tests/core/planning"
    assert room_tests_of("core/flags.py") == "tests/core/test_flags.py"
