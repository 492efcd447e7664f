"""Writing a file by rename, so that nobody reads half of one."""

import errno
import json
import os
import re
import select
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from discosync.files.drafts import drafting, remove_abandoned
from discosync.files.making import GROUP_DIRECTORY, GROUP_FILE, make_directory
from discosync.render.scrubbing import hide_json

_READER_SECONDS = 10.0
"""How long whoever reads a pipe may let a writer wait, at each turn."""

_LOOK_EVERY_SECONDS = 0.05


def write_json(content: Mapping[str, Any], path: Path) -> None:
    """Write a JSON object, indented and without secrets, as `write_text` does."""
    write_text(hide_json(json.dumps(content, indent=2, ensure_ascii=False)) + "\n", path)


def write_text(text: str, path: Path) -> None:
    """Write a text to a draft beside `path` and rename it; raise `OSError` when that fails.

    A link stays a link: the file that it names is replaced. A pipe or a device is written to.
    """
    encoded = text.encode()
    # A rename would replace `/dev/stdout`, or a pipe, by a plain file.
    if path.is_fifo():
        _write_to_pipe(encoded, path)
        return
    if path.exists() and not path.is_file():
        path.write_bytes(encoded)
        return
    if path.is_symlink():
        path = path.resolve()
    make_directory(path.parent, GROUP_DIRECTORY)
    remove_abandoned(path.parent, re.escape(path.name))
    with drafting(path, GROUP_FILE) as draft:
        draft.file.write(encoded)


def _write_to_pipe(content: bytes, path: Path) -> None:
    """Write into a pipe; raise `TimeoutError` when nobody reads it."""
    descriptor = _open_pipe(path)
    try:
        while content:
            _, is_writable, _ = select.select([], [descriptor], [], _READER_SECONDS)
            if not is_writable:
                raise _unread(path)
            with suppress(BlockingIOError):
                content = content[os.write(descriptor, content) :]
    finally:
        os.close(descriptor)


def _open_pipe(path: Path) -> int:
    # Without O_NONBLOCK it would wait for a reader for ever, and no signal ends a run by then.
    gives_up_at = time.monotonic() + _READER_SECONDS
    while True:
        try:
            return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as exc:
            if exc.errno != errno.ENXIO:
                raise
            if time.monotonic() >= gives_up_at:
                raise _unread(path) from exc
        time.sleep(_LOOK_EVERY_SECONDS)


def _unread(path: Path) -> TimeoutError:
    return TimeoutError(errno.ETIMEDOUT, "it is a pipe, and nobody reads it", str(path))
