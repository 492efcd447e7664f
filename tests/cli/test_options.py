"""Texts of options that several commands share."""

from collections.abc import Iterator
from datetime import timedelta
from enum import Enum
from typing import Any

import pytest
import typer
from typer.main import get_command

from discosync.cli import app, load_commands
from discosync.cli.options import read_age, read_limit, refuse_contradictions
from discosync.cli.plain_values import declared_parameters


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


def _commands(command: Any, path: str = "discosync") -> Iterator[tuple[str, Any]]:
    """Every command that is no group, with its name."""
    subs = getattr(command, "commands", {})
    for name, sub in subs.items():
        yield from _commands(sub, f"{path} {name}")
    if not subs:
        yield path, command


def test_every_option_says_what_it_does() -> None:
    """A sentence each; and a value has a name that says more than its type does."""
    load_commands()
    for path, command in _commands(get_command(app)):
        declared = declared_parameters(command.callback)
        for param in command.params:
            name, kind = f"{path} {param.opts[0]}", declared[param.name].kind
            assert (param.help or "").endswith("."), name
            is_flag = kind is bool or getattr(param, "count", False)
            is_choice = isinstance(kind, type) and issubclass(kind, Enum)
            assert param.metavar or is_flag or is_choice, name
