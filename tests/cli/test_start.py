"""The start of a process: it loads the command that was typed, and no other."""

import subprocess
import sys
from typing import Any

import pytest
from typer.main import get_command

from discosync import cli
from tests.support.program import Program


def _modules_of(command: Any) -> set[str]:
    subs = getattr(command, "commands", {})
    if not subs:
        return {command.callback.__module__}
    return {module for sub in subs.values() for module in _modules_of(sub)}


def test_each_command_is_added_by_its_module() -> None:
    """A start finds the module of a command by the command's name."""
    cli.load_commands()
    commands = getattr(get_command(cli.app), "commands", {})
    modules = {name: _modules_of(command) for name, command in commands.items()}
    named = {name: {f"discosync.cli.{name.replace('-', '_')}"} for name in cli.COMMANDS}
    assert modules == named


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--help",),
        ("sync", "--help"),
        ("flags", "set", "-h"),
        ("as-of", "--nothing"),
        ("synk",),
    ],
)
def test_start_says_what_the_whole_program_says(program: Program, words: tuple[str, ...]) -> None:
    """Help and complaints are the same whether one command is loaded or all are."""
    code = "import sys; from discosync import cli\nsys.argv[0] = 'discosync'; {}cli.main()"
    alone, whole = (
        subprocess.run(
            [sys.executable, "-c", code.format(load), *words],
            env={**program.environment, "COLUMNS": "100"},
            capture_output=True,
            text=True,
            check=False,
        )
        for load in ("", "cli.load_commands(); ")
    )
    assert (alone.returncode, alone.stdout, alone.stderr) == (
        whole.returncode,
        whole.stdout,
        whole.stderr,
    )
    assert "discosync" in alone.stdout + alone.stderr


@pytest.mark.parametrize("words", [("--version",), ("sync", "--help")])
def test_start_loads_no_other_command(program: Program, words: tuple[str, ...]) -> None:
    """What was not typed is not imported; the version needs no command at all."""
    code = (
        "import sys; from discosync.cli import main\n"
        "try: main()\n"
        "finally: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        env=program.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {m.removeprefix("discosync.cli.") for m in done.stderr.split() if "discosync" in m}
    commands = {name.replace("-", "_") for name in cli.COMMANDS}
    assert loaded & commands == {"sync"} & set(words)
    assert {m.split(".")[0] for m in done.stderr.split()} & {"pydantic", "rich", "logging"} == set()
