"""Option values that Typer need not read: they mean what Typer says they mean."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer
from typer.core import TyperCommand
from typer.main import get_command

from discosync.cli import app, load_commands
from discosync.cli.options import Verbose
from discosync.cli.plain_values import NotPlain, PlainCommand, declared_parameters, plain_value
from tests.support.program import Program
from tests.support.shop import make_shop, write_export

DIFFERS = (
    f"Typer {typer.__version__} reads this differently. Users must get what Typer means: change "
    "discosync/cli/plain_values.py, or raise NotPlain there, so that Typer reads such values itself"
)

TEXTS = (
    *("", "x", "two words", "café", "line\nbreak", "nul\udce9", "\x1b[1m", "-", "--", "None"),
    *("0", "1", "7", "007", "20", "-1", "+5", " 7", "7 ", "1_0", "٣", "²", "9" * 9, "9" * 40),
    *("0.1", "0.05", "2700", "2700.5", "1e3", "nan", "inf", "-inf", "604800", "604801", "0x10"),
    *("table", "TABLE", "json", "markdown", "auto", "export", "Pages", "DiffForm.TABLE"),
    *("true", "False", "on", "10%", "."),
)


class Leaf(NamedTuple):
    """A command that does something, and a context to read its command line in."""

    command: Any
    parent: Any

    def context(self) -> Any:
        """A fresh context: reading a command line fills it."""
        return self.command.context_class(
            self.command, info_name=self.command.name, parent=self.parent
        )


def _leaves() -> dict[str, Leaf]:
    """Every command that is no group, by its name."""
    found: dict[str, Leaf] = {}

    def walk(name: str, command: Any, parent: Any) -> None:
        subs = getattr(command, "commands", {})
        if not subs:
            found[name] = Leaf(command, parent)
            return
        context = command.context_class(command, info_name=name, parent=parent)
        for sub in subs:
            walk(f"{name} {sub}", command.get_command(context, sub), context)

    load_commands()
    walk("discosync", get_command(app), None)
    return found


LEAVES = _leaves()
PARAMETERS = [(name, param.name) for name, leaf in LEAVES.items() for param in leaf.command.params]


def _outcome(read: Callable[..., Any], *arguments: Any) -> tuple[Any, ...]:
    try:
        value = read(*arguments)
    except typer.BadParameter as exc:
        return type(exc), exc.format_message()
    return type(value), repr(value)


@pytest.mark.parametrize("name", LEAVES)
def test_command_reads_plain_values(name: str) -> None:
    """No command is left to Typer by an oversight."""
    assert type(LEAVES[name].command) is PlainCommand


@pytest.mark.parametrize(("name", "parameter"), PARAMETERS)
def test_plain_value_is_what_typer_reads(name: str, parameter: str, tmp_path: Path) -> None:
    """A default, no value, a typed text: what is taken as plain is what Typer makes of it."""
    leaf = LEAVES[name]
    context = leaf.context()
    param = next(p for p in leaf.command.params if p.name == parameter)
    declared = declared_parameters(leaf.command.callback)[parameter]
    (tmp_path / "there").touch()
    paths = [str(tmp_path), str(tmp_path / "there"), str(tmp_path / "missing" / "file")]
    typed = (True,) if getattr(param, "is_flag", False) else (*TEXTS, *paths)
    read = 0
    for value in (param.get_default(context), *typed):
        if value is None and param.required:
            continue
        try:
            plain = plain_value(declared, value)
        except NotPlain:
            continue
        read += 1
        theirs = _outcome(param.process_value, context, value)
        assert (type(plain), repr(plain)) == theirs, f"{value!r}: {DIFFERS}"
    assert read or "list" in str(declared.kind), "nothing is plain: Typer reads it always"


EXAMPLES = {int: "7", float: "0.5", str: "two words", Path: "missing/file"}


def _command_lines(leaf: Leaf) -> Iterator[list[str]]:
    """No option at all; each option alone, with a plain value and with a bad one; all together."""
    arguments, options = [], []
    for param in leaf.command.params:
        kind: Any = declared_parameters(leaf.command.callback)[param.name].kind
        example = EXAMPLES.get(kind) or next(iter(getattr(kind, "__members__", {"x": 0}))).lower()
        if param.param_type_name == "argument":
            arguments.append("180" if "list" in str(kind) else example)
        elif param.is_flag or param.count:
            options.append([param.opts[0]])
        else:
            options.append([param.opts[0], example])
    yield []
    yield arguments
    yield [*arguments, *chain.from_iterable(options)]
    yield [*arguments, "one", "too", "many"]
    for option in options:
        yield [*arguments, *option]
        yield [*arguments, *option[:1]]
        yield [*arguments, *option[:1], "-1"]
        yield [*option, *arguments]


def _read(leaf: Leaf, read: Callable[..., Any], words: list[str]) -> tuple[Any, ...]:
    context = leaf.context()
    try:
        rest = read(leaf.command, context, list(words))
    except typer.BadParameter as exc:
        return type(exc), exc.format_message()
    except Exception as exc:  # noqa: BLE001 - Typer's other refusals have no public name
        return type(exc).__name__, str(exc)
    return rest, context.args, sorted((k, type(v), repr(v)) for k, v in context.params.items())


@pytest.mark.parametrize("name", LEAVES)
def test_command_line_is_read_as_typer_reads_it(name: str) -> None:
    """The function gets the same values, and the user the same refusal."""
    leaf = LEAVES[name]
    for words in _command_lines(leaf):
        ours = _read(leaf, PlainCommand.parse_args, words)
        assert ours == _read(leaf, TyperCommand.parse_args, words), f"{words}: {DIFFERS}"


def _shout(name: str = typer.Option("x", callback=lambda value: f"<{value}>")) -> None:
    assert name == "<y>"


def test_callback_has_the_last_word() -> None:
    """An option with a callback is not plain: Typer calls it."""
    program = typer.Typer(add_completion=False)
    program.command(cls=PlainCommand)(_shout)
    assert get_command(program)(["--name", "y"], standalone_mode=False) is None


@pytest.mark.parametrize("part", ["make_parser", "get_params"])
@pytest.mark.parametrize("gives", [None, [None], [(1, 2)]])
def test_other_typer_reads_for_itself(
    part: str, gives: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where Typer's parts are not what they are today, Typer reads the command line."""
    leaf = LEAVES["discosync sync"]
    monkeypatch.setattr(PlainCommand, part, lambda *_: gives, raising=False)
    monkeypatch.setattr(TyperCommand, "parse_args", lambda *_: ["Typer's own"])
    assert leaf.command.parse_args(leaf.context(), ["--dry-run"]) == ["Typer's own"]


def test_count_of_times_is_plain() -> None:
    """`-v` is counted by the parser; its number needs nobody to read it."""

    def command(verbose: Verbose = 0) -> None:
        """Do nothing."""

    assert plain_value(declared_parameters(command)["verbose"], 2) == 2


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--time-budget", "2700", "--lock-wait", "50", "-v"),
        ("--config", "there.toml", "--report", "new.json", "--seller", "café", "--diff", "table"),
    ],
)
def test_plain_options_need_no_pydantic(
    sqlite_program: Program, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """Neither defaults nor plain texts, numbers and paths load what only Typer's coercion needs."""
    export = write_export(tmp_path / "shop.csv", make_shop(3))
    (sqlite_program.directory / "there.toml").touch()
    code = (
        "import sys; from discosync.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: print(end.code, *sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "sync", "--from-file", str(export), *options],
        env={**sqlite_program.environment, "PATH": ""},
        cwd=sqlite_program.directory,
        check=True,
        capture_output=True,
        text=True,
    )
    status, *modules = done.stderr.splitlines()[-1].split()
    assert status == "0"
    assert "typer" in modules
    assert {"pydantic", "pydantic_core", "annotated_types"}.intersection(modules) == set()
