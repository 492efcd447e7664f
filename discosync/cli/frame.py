"""How a command that makes no run ends: its errors as words, and their exit statuses."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from discosync.errors import DiscosyncError, ExitStatus, Interrupted

if TYPE_CHECKING:
    from discosync.console import Console


@contextmanager
def telling_errors(console: "Console") -> Iterator[None]:
    """Say what went wrong, and end with its status."""
    try:
        yield
    except DiscosyncError as exc:
        console.tell_error(exc)
        raise typer.Exit(int(exc.exit_status)) from exc
    except KeyboardInterrupt as exc:
        console.tell_error(Interrupted("interrupted", hint="nothing was changed"))
        raise typer.Exit(int(ExitStatus.INTERRUPTED)) from exc
