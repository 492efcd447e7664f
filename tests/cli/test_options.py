"""Texts of options that several commands share."""

from datetime import timedelta

import pytest
import typer

from discosync.cli.options import read_age, read_limit, refuse_contradictions


def test_contradiction_is_named() -> None:
    """The refusal says which options; a command line without one passes."""
    refuse_contradictions({"--a with --b": False})
    with pytest.raises(typer.BadParameter, match="--c without --d makes no sense"):
        refuse_contradictions({"--a with --b": False, "--c without --d": True})


def test_age_and_limit_name_their_option() -> None:
    """Whoever mistypes a value is told which option it was for."""
    assert read_age("180d", "--older-than") == timedelta(days=180)
    assert read_limit(None, "--max-removals") is None
    for read in (read_age, read_limit):
        with pytest.raises(typer.BadParameter) as refused:
            read("x", "--option")
        assert refused.value.param_hint == "--option"
