"""Make files and directories that others cannot open, whatever the umask says.

What a shop's other programs may read follows the umask, but is never open to everybody: a web
server reads it through its group. What only the seller may see is the owner's alone. A file that is
there already keeps its mode.
"""

import os
from contextlib import suppress
from pathlib import Path

GROUP_FILE = 0o640
"""The widest mode of a database, a report or a lock file."""

GROUP_DIRECTORY = 0o750
"""The widest mode of the directories of these."""

OWN_FILE = 0o600
"""The mode of a backup, an archive, or a kept inventory."""

OWN_DIRECTORY = 0o700
"""The mode of the directories of these."""


def make_directory(path: Path, mode: int) -> None:
    """Make a directory, and those above it that are missing, all of this mode at most.

    `Path.mkdir` would give the ones above it whatever the umask leaves.
    """
    try:
        path.mkdir(mode)
    except FileNotFoundError:
        if path.parent == path:
            raise
        make_directory(path.parent, mode)
        path.mkdir(mode, exist_ok=True)
    except OSError:
        if not path.is_dir():
            raise


def make_file(path: Path, mode: int) -> None:
    """Make an empty file unless there is one: before SQLite, which would open it to everybody."""
    # Only a new file is opened here: closing a descriptor would free SQLite's locks on another one.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))


def own_opener(path: str, flags: int) -> int:
    """Open for `open(…, opener=own_opener)`: a new file is its owner's alone."""
    return os.open(path, flags, OWN_FILE)


def group_opener(path: str, flags: int) -> int:
    """Open for `open(…, opener=group_opener)`: a new file is not open to everybody."""
    return os.open(path, flags, GROUP_FILE)
