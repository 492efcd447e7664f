"""A mirror that is late, in words: since when, and what to type."""

import shlex
from pathlib import Path

from discosync.core.reporting.hints import config_option
from discosync.core.reporting.status import Status
from discosync.render.age import render_age


def render_lateness(status: Status) -> str:
    """Say why a mirror is late."""
    allowed = render_age(status.max_age)
    if status.success_age is None:
        return f"{status.seller} has never been synced into {status.database}"
    age = render_age(status.success_age)
    return f"the last success of {status.seller} was {age} ago; the limit is {allowed}"


def render_way_to_fresh(status: Status, config: Path | None) -> str:
    """Say what to type about a late mirror; `runs` only if there is a run to look at."""
    option = config_option(config)
    sync = f"`discosync sync --seller {shlex.quote(status.seller)}{option}`"
    return f"`discosync runs{option}` shows why; then {sync}" if status.runs else f"run {sync}"
