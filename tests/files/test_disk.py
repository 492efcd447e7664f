"""What the disk refuses is told with the path and what to do."""

import errno
import os
from pathlib import Path

import pytest

from discosync.errors import StorageFailed
from discosync.files.disk import disk_errors, path_refused


def test_refused_path_is_named() -> None:
    """A full or failing disk is told without a path too; any other error is a bug."""
    refused = path_refused(PermissionError(13, "Permission denied", "/srv/mirror.db"))
    assert refused is not None
    assert refused.message == "cannot use /srv/mirror.db: Permission denied"
    full = path_refused(OSError(28, "No space left on device"))
    assert full is not None
    assert "free some space" in full.hint
    assert path_refused(OSError(9, "Bad file descriptor")) is None


def test_verb_says_what_was_tried() -> None:
    """Reading and writing give different advice; other exceptions come through."""
    other = OSError(errno.ETIMEDOUT, "Connection timed out")
    for verb in ("read", "write"):
        said = f"cannot {verb} file: Connection"
        with pytest.raises(StorageFailed, match=said) as caught, disk_errors(Path("file"), verb):
            raise other
        assert ("free some space" in caught.value.hint) == (verb == "write")
    with pytest.raises(ValueError, match="x"), disk_errors(Path("file")):
        raise ValueError("x")


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EDQUOT, "quota"),
        (errno.EIO, "fails"),
        (errno.EROFS, "reading only"),
        (errno.EACCES, "permissions"),
        (errno.EPERM, "permissions"),
        (errno.EFBIG, "ulimit"),
    ],
)
def test_each_fault_of_a_disk_has_its_own_advice(code: int, advice: str) -> None:
    """A full disk, a quota, a failing disk and a forbidden file are mended in different ways."""
    with pytest.raises(StorageFailed) as caught, disk_errors(Path("file")):
        raise OSError(code, os.strerror(code))
    assert advice in caught.value.hint
    assert "nothing was changed" in caught.value.hint
