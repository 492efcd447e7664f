"""What the disk refuses is told with the path and what to do."""

from pathlib import Path

import pytest

from discosync.errors import StorageFailed
from discosync.files.disk import disk_errors, path_refused


def test_refused_path_is_named() -> None:
    """An error that is about no path is none of these."""
    refused = path_refused(PermissionError(13, "Permission denied", "/srv/mirror.db"))
    assert refused is not None
    assert refused.message == "cannot use /srv/mirror.db: Permission denied"
    assert path_refused(OSError(28, "No space left on device")) is None


def test_verb_says_what_was_tried() -> None:
    """Reading and writing give different advice; other exceptions come through."""
    full = OSError(28, "No space left on device")
    for verb in ("read", "write"):
        said = f"cannot {verb} file: No space"
        with pytest.raises(StorageFailed, match=said) as caught, disk_errors(Path("file"), verb):
            raise full
        assert ("free some space" in caught.value.hint) == (verb == "write")
    with pytest.raises(ValueError, match="x"), disk_errors(Path("file")):
        raise ValueError("x")
