"""The command line: options, help, exit statuses. Everything heavy is imported by the command."""

import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import Annotated, TextIO, cast

import typer

from discosync import NOTICES, __version__
from discosync.cli.exit_statuses import GROUP_EPILOG
from discosync.cli.plain_values import TYPERS_FLAGS_OFF
from discosync.cli.scrubbed_stream import ScrubbedStream

app = typer.Typer(
    name="discosync",
    help="Mirror a Discogs seller's inventory into a database of your own.",
    no_args_is_help=True,
    # A traceback with local variables would show the token, and drawing one imports rich.
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode=None,  # a help must not wait for rich to be imported
    epilog=GROUP_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "default_map": TYPERS_FLAGS_OFF},
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
            "--version",
            callback=_show_version,
            is_eager=True,
            help="Show the version and Discogs' notices.",
        ),
    ] = False,
) -> None:
    """Mirror a Discogs seller's inventory into a database of your own."""


COMMANDS = (
    "sync",
    "enrich",
    "status",
    "runs",
    "history",
    "as-of",
    "stats",
    "compare",
    "restore",
    "purge-inactive",
    "rollback-flag",
    "flags",
    "db",
    "cache",
    "sandbox",
)
"""Every command, in the order of the help; `as-of` is in the module `as_of`, and so on."""


def load_commands(words: Sequence[str] = ()) -> None:
    """Add the command that these words begin with to `app`, or all, for help and for mistakes."""
    first = words[0] if words else ""
    if first == "--version":
        return
    # Importing all commands takes more than twice as long as importing one.
    for name in (first,) if first in COMMANDS else COMMANDS:
        import_module(f"discosync.cli.{name.replace('-', '_')}")


def main() -> None:
    """Run the command line; no other function ends the process."""
    for stream in (sys.stdout, sys.stderr):
        # A locale that cannot write a seller's letters must not stop what a run says last.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    if sys.stderr is not None:  # somebody may have closed it
        sys.stderr = cast("TextIO", ScrubbedStream(sys.stderr))
    load_commands(sys.argv[1:])
    app()
