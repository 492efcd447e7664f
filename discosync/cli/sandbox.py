"""`discosync sandbox`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from discosync.cli import app
from discosync.cli.exit_statuses import exit_statuses
from discosync.cli.plain_values import PlainCommand
from discosync.ending import as_interrupts
from discosync.errors import DiscosyncError, ExitStatus

if TYPE_CHECKING:
    from discosync.sandbox.state import Fault

_EPILOG = exit_statuses(
    {
        ExitStatus.OK,
        ExitStatus.INTERNAL,
        ExitStatus.USAGE,
        ExitStatus.NOT_READY,
        ExitStatus.BAD_DATA,
        ExitStatus.TERMINATED,
    }
)


@app.command(cls=PlainCommand, epilog=_EPILOG)
def sandbox(  # noqa: PLR0913 - one parameter an option, as Typer wants it
    *,
    seller: Annotated[
        str, typer.Option(metavar="NAME", help="The made-up seller's name.")
    ] = "sandbox-records",
    listings: Annotated[
        int, typer.Option(metavar="N", min=0, help="How many listings to make up.")
    ] = 600,
    from_csv: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Serve the listings of this CSV export instead."),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(metavar="N", help="The same seed makes up the same listings every time."),
    ] = 1,
    port: Annotated[int, typer.Option(metavar="N", help="The port; 0 picks a free one.")] = 0,
    export_seconds: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="How long an export takes.")
    ] = 2.0,
    drift_every: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            min=0,
            help="How often the listings change as they would in an hour; 0: never.",
        ),
    ] = 0.0,
    limits: Annotated[
        bool, typer.Option("--limits", help="Answer 429 above Discogs' real rate limit.")
    ] = False,
    fail: Annotated[
        list[str] | None,
        typer.Option(
            metavar="'METHOD PATH STATUS TIMES'",
            help="Answer with an error, such as 'GET /inventory/export 503 2'; repeatable.",
        ),
    ] = None,
) -> None:
    """Serve a local look-alike of the Discogs API.

    For trying things out, and for staging: it listens on this machine only, and its inventory is
    made up. It prints the variables to set.
    """
    from discosync.commands.sandbox import SandboxOptions, serve_sandbox  # noqa: PLC0415 - heavy
    from discosync.console import Console  # noqa: PLC0415 - heavy

    options = SandboxOptions(
        seller=seller,
        listings=listings,
        from_csv=from_csv,
        seed=seed,
        port=port,
        export_seconds=export_seconds,
        drift_every_seconds=drift_every,
        enforces_limits=limits,
        faults=tuple(_parse_fault(text) for text in fail or ()),
    )
    try:
        with as_interrupts():
            serve_sandbox(options, Console().show_text)
    except KeyboardInterrupt:
        # Ctrl-C is how people end a sandbox, so it is no failure.
        raise typer.Exit(0) from None
    except DiscosyncError as exc:
        Console().show_error(exc)
        raise typer.Exit(int(exc.exit_status)) from exc


def _parse_fault(text: str) -> "Fault":
    from discosync.sandbox.state import Fault  # noqa: PLC0415 - heavy

    try:
        method, path, status, times = text.split()
        return Fault(
            method=method.upper(), path=path, status=int(status), times=int(times), has_effect=False
        )
    except ValueError as exc:
        raise typer.BadParameter(
            f"{text!r}; example: 'GET /inventory/export 503 2'", param_hint="--fail"
        ) from exc
