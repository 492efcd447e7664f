"""Commands that a message tells people to type."""

import shlex
from pathlib import Path


def config_option(config: Path | None) -> str:
    """Write what has the next command read the same settings; nothing where none were named."""
    return "" if config is None else f" --config {shlex.quote(str(config))}"
