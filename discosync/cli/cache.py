"""`discosync cache`."""

from typing import TYPE_CHECKING, Any

import typer

from discosync.cli import app
from discosync.cli.frame import telling_errors
from discosync.cli.options import GROUP_EPILOG, AsJson, Config, exit_statuses
from discosync.cli.plain_values import PlainGroup
from discosync.errors import ExitStatus

if TYPE_CHECKING:
    from discosync.discogs.cache.upkeep import CacheState

cache_app = typer.Typer(
    cls=PlainGroup,
    help="The catalogue's answers that are kept for a while.",
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog=GROUP_EPILOG,
    pretty_exceptions_enable=False,
)
app.add_typer(cache_app, name="cache")

_READS = (ExitStatus.OK, ExitStatus.INTERNAL, ExitStatus.USAGE, ExitStatus.NOT_READY)


@cache_app.command("info", epilog=exit_statuses(*_READS, ExitStatus.INTERRUPTED))
def info(config: Config = None, *, as_json: AsJson = False) -> None:
    """Say where answers are kept, how many, how large and how old, and whether it can be used."""
    from discosync.commands.cache import show_cache  # noqa: PLC0415 - heavy
    from discosync.console import Console  # noqa: PLC0415 - heavy

    console = Console(as_json=as_json)
    with telling_errors(console):
        state = show_cache(config)
        if as_json:
            console.show_json(_state_json(state))
        else:
            console.show_fields(_state_fields(state))


@cache_app.command(
    "clear", epilog=exit_statuses(*_READS, ExitStatus.STORAGE, ExitStatus.INTERRUPTED)
)
def clear(config: Config = None, *, as_json: AsJson = False) -> None:
    """Delete every answer that is kept; nothing else in a shared Redis is touched."""
    from discosync.commands.cache import empty_cache  # noqa: PLC0415 - heavy
    from discosync.console import Console  # noqa: PLC0415 - heavy

    console = Console(as_json=as_json)
    with telling_errors(console):
        cleared = empty_cache(config)
        if as_json:
            console.show_json({"cleared": cleared})
        else:
            console.show_text(f"{cleared:,} answers deleted")


def _state_json(state: "CacheState") -> dict[str, Any]:
    from discosync.core.reporting.change_entry import json_value  # noqa: PLC0415 - heavy

    return {
        "backend": state.backend,
        "where": state.where,
        "reachable": state.fault is None,
        "fault": state.fault,
        "ttl_seconds": state.ttl_seconds,
        "entries": state.entries,
        "bytes": state.bytes,
        "oldest": json_value(state.oldest),
        "newest": json_value(state.newest),
    }


def _state_fields(state: "CacheState") -> dict[str, str | None]:
    from discosync.render.diff import render_size  # noqa: PLC0415 - heavy

    kept = f"{state.ttl_seconds:,} s" if state.ttl_seconds else "not at all (CACHE_TTL is 0)"
    return {
        "backend": state.backend,
        "where": state.where,
        "usable": "yes" if state.fault is None else f"no: {state.fault}",
        "kept for": kept,
        "answers": None if state.entries is None else f"{state.entries:,}",
        "size": None if state.bytes is None else render_size(state.bytes),
        "oldest": None if state.oldest is None else f"{state.oldest:%Y-%m-%d %H:%M:%S} UTC",
        "newest": None if state.newest is None else f"{state.newest:%Y-%m-%d %H:%M:%S} UTC",
    }
