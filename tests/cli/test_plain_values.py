"""Options that Typer need not coerce: read as it would read them, and refused as it refuses."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import typer
from typer.core import TyperArgument, TyperOption
from typer.main import get_command

from discosync.cli import app, load_commands
from discosync.cli.plain_values import NotPlain, PlainGroup, plain_value_of
from tests.support.program import Program
from tests.support.shop import make_shop, write_export

TEXTS = (
    *("", "x", "two words", "café", "line\nbreak", "nul\udce9", "\x1b[1m", "-", "--", "None"),
    *("0", "1", "7", "007", "20", "-1", "+5", " 7", "7 ", "1_0", "٣", "²", "9" * 9, "9" * 40),
    *("0.1", "0.05", "2700", "2700.5", "1e3", "nan", "inf", "-inf", "604800", "604801", "0x10"),
    *("table", "TABLE", "json", "markdown", "auto", "export", "Pages", "DiffForm.TABLE"),
    *("true", "False", "on", "10%", "."),
)


def _parameters() -> dict[str, tuple[Any, Any]]:
    """Every option and argument of every command, with a context to read it in."""
    found: dict[str, tuple[Any, Any]] = {}

    def walk(name: str, command: Any, parent: Any) -> None:
        context = command.context_class(command, info_name=name, parent=parent)
        for param in command.get_params(context):
            found[f"{name} {'/'.join(param.opts)}"] = (param, context)
        for sub in getattr(command, "commands", {}):
            walk(f"{name} {sub}", command.get_command(context, sub), context)

    load_commands()
    walk("discosync", get_command(app), None)
    return found


PARAMETERS = _parameters()


def _outcome(read: Callable[..., Any], *arguments: Any) -> tuple[Any, ...]:
    try:
        value = read(*arguments)
    except typer.BadParameter as exc:
        return type(exc), exc.format_message()
    return type(value), repr(value)


@pytest.mark.parametrize("name", PARAMETERS)
def test_value_is_read_as_typer_reads_it(name: str, tmp_path: Path) -> None:
    """Default, absent or typed: each value of each option, and each refusal, is Typer's own."""
    param, context = PARAMETERS[name]
    is_option = isinstance(param, TyperOption)
    assert type(param) not in {TyperOption, TyperArgument}, "it is read by Typer anyway"
    typers_own = TyperOption.process_value if is_option else TyperArgument.process_value
    (tmp_path / "there").touch()
    paths = [str(tmp_path), str(tmp_path / "there"), str(tmp_path / "missing" / "file")]
    typed = () if param.callback is not None or getattr(param, "is_flag", False) else TEXTS
    for value in (None, param.get_default(context), *typed, *(paths if typed else ())):
        ours = _outcome(param.process_value, context, value)
        theirs = _outcome(typers_own, param, context, value)
        assert ours == theirs, value


def test_callback_of_a_plain_value_is_called() -> None:
    """An option's callback has the last word on a plain value, as on any other."""
    plain = typer.Typer(cls=PlainGroup, add_completion=False)

    @plain.callback()
    def root(name: str = typer.Option("x", callback=lambda value: f"<{value}>")) -> None:
        assert name == "<y>"

    @plain.command()
    def nothing() -> None:
        """Do nothing."""

    group = get_command(plain)
    assert group(["--name", "y", "nothing"], standalone_mode=False) is None


def test_other_typer_reads_for_itself() -> None:
    """Where Typer does not say what kind an option is of, none of its texts is taken as plain."""
    unknown = cast("TyperOption", SimpleNamespace(multiple=False, nargs=1, required=False))
    with pytest.raises(NotPlain):
        plain_value_of(unknown, "text")


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
