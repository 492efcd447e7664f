"""Pipes that are read: whoever writes into one is waited for, but not for ever."""

import errno
import os
import select
from pathlib import Path
from typing import BinaryIO

_WRITER_SECONDS = 60.0
"""How long whoever writes into a pipe may take to begin."""


def open_to_read(path: Path) -> BinaryIO:
    """Open a file unbuffered; raise `TimeoutError` for a pipe into which nobody writes."""
    if not path.is_fifo():
        return path.open("rb", buffering=0)
    # Without O_NONBLOCK opening it would wait for a writer for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    file = os.fdopen(descriptor, "rb", buffering=0)
    if not select.select([file], [], [], _WRITER_SECONDS)[0]:
        file.close()
        raise TimeoutError(errno.ETIMEDOUT, "it is a pipe, and nobody writes into it")
    os.set_blocking(descriptor, True)
    return file
