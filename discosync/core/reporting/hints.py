"""Commands that a message tells people to type."""

import shlex
from pathlib import Path


def config_option(config: Path | None) -> str:
    """Return the option that makes the next command read the same settings; "" without a file."""
    return "" if config is None else f" --config {shlex.quote(str(config))}"
