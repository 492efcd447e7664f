"""A group of commands, such as `discosync db`."""

import typer

from discosync.cli import app
from discosync.cli.exit_statuses import GROUP_EPILOG
from discosync.cli.plain_values import TYPERS_FLAGS_OFF


def add_group(name: str, summary: str) -> typer.Typer:
    """Add a group to the program; return what its commands are added to."""
    group = typer.Typer(
        help=summary,
        no_args_is_help=True,
        rich_markup_mode=None,
        epilog=GROUP_EPILOG,
        pretty_exceptions_enable=False,
        context_settings={"default_map": TYPERS_FLAGS_OFF},
    )
    app.add_typer(group, name=name)
    return group
