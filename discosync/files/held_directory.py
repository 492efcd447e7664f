"""Directories that a process holds by the kernel's lock, so that one left behind can be told."""

import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

from discosync.files.drafts import hold
from discosync.files.making import OWN_DIRECTORY, make_directory


def hold_directory(path: Path) -> int:
    """Make a directory of this user alone unless it is there, and hold it; give its descriptor."""
    while True:
        make_directory(path, OWN_DIRECTORY)
        with suppress(FileNotFoundError):
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            hold(descriptor)
            # Somebody who cleans up may have taken it for left behind just before it was held.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), path.stat()):
                    return descriptor
            os.close(descriptor)


def remove_abandoned_directories(parent: Path, names: str) -> None:
    """Remove the directories with such names that no process holds; raises nothing."""
    wanted = re.compile(names)
    with suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if wanted.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                _remove_if_abandoned(entry.path)


def _remove_if_abandoned(path: str) -> None:
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            if hold(descriptor):
                shutil.rmtree(path, ignore_errors=True)
        finally:
            os.close(descriptor)
