"""`discosync cache`."""

from typing import TYPE_CHECKING

from discosync.cli.exit_statuses import READ_STATUSES, exit_statuses
from discosync.cli.frame import answering
from discosync.cli.groups import add_group
from discosync.cli.options import AsJson, Config
from discosync.cli.plain_values import PlainCommand
from discosync.errors import ExitStatus

if TYPE_CHECKING:
    from discosync.discogs.cache.upkeep import CacheState

cache_app = add_group("cache", "Show or clear the cache of Discogs' answers.")


@cache_app.command(cls=PlainCommand, epilog=exit_statuses(READ_STATUSES - {ExitStatus.STORAGE}))
def info(config: Config = None, *, as_json: AsJson = False) -> None:
    """Show where answers are kept, how many, how large and how old."""
    from discosync.commands.cache import show_cache  # noqa: PLC0415 - heavy

    with answering(as_json=as_json) as console:
        state = show_cache(config)
        if as_json:
            console.show_json(state.to_json())
        else:
            console.show_fields(_state_fields(state))


@cache_app.command(cls=PlainCommand, epilog=exit_statuses(READ_STATUSES))
def clear(config: Config = None, *, as_json: AsJson = False) -> None:
    """Delete all kept answers.

    Other programs' keys in a shared Redis stay.
    """
    from discosync.commands.cache import empty_cache  # noqa: PLC0415 - heavy

    with answering(as_json=as_json) as console:
        cleared = empty_cache(config)
        if as_json:
            console.show_json({"cleared": cleared})
        else:
            console.show_text(f"{cleared:,} answers deleted")


def _state_fields(state: "CacheState") -> dict[str, str | None]:
    from discosync.render.size import render_size  # noqa: PLC0415 - heavy

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
