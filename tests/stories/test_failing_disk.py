"""A disk that fails: some writes of some commands; CONTRIBUTING.md names the command for all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.waiting import HUNG_AFTER_SECONDS

_TOP = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("names", "fault", "every", "first"),
    [
        ("file,enrich,stats", "ENOSPC", 11, 3),
        ("first,purge,upgrade", "EIO", 20, 2),
    ],
)
def test_failed_write_changes_nothing_and_is_told(
    names: str, fault: str, every: int, first: int
) -> None:
    """It ends with 16 or 17, no bug, nothing left behind, and the next run does it."""
    words = ["--only", names, "--fault", fault, "--every", str(every), "--first", str(first)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.failing_disk", *words],
        cwd=_TOP,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")},
        capture_output=True,
        text=True,
        timeout=5 * HUNG_AFTER_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
