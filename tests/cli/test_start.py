"""The start of a process: it loads the command that was typed, and no other."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from discosync import cli
from tests.support.program import Program
from tests.support.shop import make_shop, write_export


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


def test_collector_is_out_of_the_way(sqlite_program: Program, tmp_path: Path) -> None:
    """An unchanged hour never looks for cycles, and what it says and writes is all there."""
    export = write_export(tmp_path / "shop.csv", make_shop(50))
    sqlite_program("sync", "--from-file", str(export))
    code = (
        "import atexit, gc, json, sys\n"
        "collected = []\n"
        "gc.callbacks.append(lambda phase, info: collected.append(phase))\n"
        "atexit.register(lambda: print(len(collected), gc.get_freeze_count(), file=sys.stderr))\n"
        "from discosync.__main__ import main\n"
        "main()"
    )
    report = tmp_path / "report.json"
    command = ("sync", "--json", "--from-file", str(export))
    done = subprocess.run(
        [sys.executable, "-c", code, *command, "--report", str(report)],
        env=sqlite_program.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    collections, frozen = map(int, done.stderr.splitlines()[-1].split())
    assert frozen > 0
    assert collections <= 4
    assert json.loads(done.stdout) == json.loads(report.read_text())
