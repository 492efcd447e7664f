"""A refusal names what was refused, and the command that allows it once."""

import pytest

from discosync.commands.steps.refusing import refuse, render_way_out
from discosync.core.planning.limits import Violation
from discosync.errors import LimitRefused

REMOVAL = Violation(code="mass_removal", text="412 of 900", option="--allow-mass-removal")
CHANGE = Violation(code="mass_change", text="price of all", option="--allow-mass-change")


def test_no_violation_refuses_nothing() -> None:
    """A plan within its limits goes on."""
    refuse([], "never read")


def test_refusal_names_every_violation_and_has_the_code_of_the_first() -> None:
    """All that was too much is told at once, so that one command can allow all of it."""
    with pytest.raises(LimitRefused) as refused:
        refuse([REMOVAL, CHANGE], "do this")

    assert refused.value.message == "412 of 900; price of all"
    assert refused.value.hint == "nothing was changed; do this"
    assert refused.value.code == "mass_removal"


def test_way_out_is_what_was_typed_and_each_option_once() -> None:
    """The command is repeated as it was, quoted for a shell, with what allows it."""
    way_out = render_way_out(["sync", "--seller", "a b"], [REMOVAL, CHANGE, CHANGE])

    assert way_out == (
        "if this is right, allow it once: "
        "discosync sync --seller 'a b' --allow-mass-removal --allow-mass-change"
    )


def test_option_with_a_value_is_two_words() -> None:
    """`--max-purge 12` is typed as an option and its value, not as one quoted word."""
    purge = Violation(code="mass_purge", text="12 of 20", option="--max-purge 12")

    assert render_way_out(["purge-inactive"], [purge]).endswith(
        "discosync purge-inactive --max-purge 12"
    )


def test_violation_that_no_option_allows_adds_no_word() -> None:
    """An older snapshot has no option."""
    older = Violation(code="older_snapshot", text="older", option="")

    assert render_way_out(["sync"], [older]).endswith("discosync sync")
