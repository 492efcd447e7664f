"""`discosync db`."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from discosync.cli import app
from discosync.cli.options import GROUP_EPILOG, AsJson, Config, exit_statuses
from discosync.errors import DiscosyncError, ExitStatus

if TYPE_CHECKING:
    from discosync.commands.db import SchemaReport

db_app = typer.Typer(
    help="The schema of the database.",
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog=GROUP_EPILOG,
    pretty_exceptions_enable=False,
)
app.add_typer(db_app, name="db")

_STATUSES = (
    ExitStatus.OK,
    ExitStatus.INTERNAL,
    ExitStatus.USAGE,
    ExitStatus.NOT_READY,
    ExitStatus.STORAGE,
)


@db_app.command(epilog=exit_statuses(*_STATUSES))
def current(config: Config = None, *, as_json: AsJson = False) -> None:
    """Say which schema the database has."""
    from discosync.commands.db import show_current  # noqa: PLC0415 - heavy

    _show(show_current, config, as_json=as_json)


@db_app.command(epilog=exit_statuses(*_STATUSES, ExitStatus.MIGRATION))
def upgrade(config: Config = None, *, as_json: AsJson = False) -> None:
    """Bring the schema to the newest revision."""
    from discosync.commands import db  # noqa: PLC0415 - heavy

    _show(db.upgrade, config, as_json=as_json)


def _show(
    command: "Callable[[Path | None], SchemaReport]", config: Path | None, *, as_json: bool
) -> None:
    from discosync.console import Console  # noqa: PLC0415 - heavy

    console = Console(as_json=as_json)
    try:
        report = command(config)
    except DiscosyncError as exc:
        console.show_error(exc)
        raise typer.Exit(int(exc.exit_status)) from exc
    console.show_fields(asdict(report))
