"""The command line: options, help, exit statuses. Everything heavy is imported by the command."""

import sys
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


def main() -> None:
    """Run the command line; the only place that ends the process."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a narrow locale must not stop a run's last words
            stream.reconfigure(errors="replace")
    app()


from discosync.cli import (  # noqa: E402 - they add their commands to `app`
    cache,  # noqa: F401
    compare,  # noqa: F401
    db,  # noqa: F401
    enrich,  # noqa: F401
    flags,  # noqa: F401
    past,  # noqa: F401
    restore,  # noqa: F401
    sandbox,  # noqa: F401
    stats,  # noqa: F401
    status,  # noqa: F401
    sync,  # noqa: F401
)
