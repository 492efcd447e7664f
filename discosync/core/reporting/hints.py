"""Commands that a message tells people to type."""

import shlex
from collections.abc import Sequence
from pathlib import Path


def config_option(config: Path | None) -> str:
    """Return the option that makes the next command read the same settings; "" without a file."""
    return "" if config is None else f" --config {shlex.quote(str(config))}"


def render_command(words: Sequence[str]) -> str:
    """Write a command as it can be typed: `words` are its arguments."""
    return shlex.join(["discosync", *words])
