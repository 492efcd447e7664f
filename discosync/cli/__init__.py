"""The command line: options, help, exit statuses. Everything heavy is imported by the command."""

import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import Annotated

import typer

from discosync import NOTICES, __version__
from discosync.cli.options import GROUP_EPILOG
from discosync.cli.plain_values import PlainGroup

app = typer.Typer(
    name="discosync",
    cls=PlainGroup,
    help="Mirror a Discogs seller's inventory into a database of your own.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode=None,
    epilog=GROUP_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - Typer calls it so
    if wanted:
        print(f"discosync {__version__}", *NOTICES, sep="\n")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Version and notices."
        ),
    ] = False,
) -> None:
    """Mirror a Discogs seller's inventory into a database of your own."""


_MODULE_OF = {
    "cache": "cache",
    "compare": "compare",
    "db": "db",
    "enrich": "enrich",
    "flags": "flags",
    "rollback-flag": "flags",
    "history": "past",
    "as-of": "past",
    "purge-inactive": "restore",
    "restore": "restore",
    "sandbox": "sandbox",
    "stats": "stats",
    "status": "status",
    "runs": "status",
    "sync": "sync",
}
"""Command → which of the modules here adds it to `app`."""


def load_commands(words: Sequence[str] = ()) -> None:
    """Add the command that these words begin with to `app`, or all, for help and for mistakes."""
    first = words[0] if words else ""
    if first == "--version":
        return
    for module in (_MODULE_OF[first],) if first in _MODULE_OF else _MODULE_OF.values():
        import_module(f"discosync.cli.{module}")


def main() -> None:
    """Run the command line; the only place that ends the process."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a narrow locale must not stop a run's last words
            stream.reconfigure(errors="replace")
    load_commands(sys.argv[1:])
    app()
