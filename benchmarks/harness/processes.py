"""Start a whole process, and measure it from start to exit."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from discosync.settings.layers import KNOWN_SETTINGS

_LAUNCHER = Path(__file__).with_name("launcher.py")
_TIMEOUT_SECONDS = 3600.0
TOP = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One process: its time, the memory of its largest process, how it ended."""

    seconds: float
    peak_mb: float
    exit_code: int
    complaint: str


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Give a process's environment: none of the caller's settings, and compiled modules kept."""
    dropped = {*KNOWN_SETTINGS, "PYTHONDONTWRITEBYTECODE"}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "PYTHONPATH": str(TOP), **more}


def measure(command: Sequence[str], *, cwd: Path, more: Mapping[str, str]) -> Measured:
    """Run to the end; raises nothing when the command fails."""
    with subprocess.Popen(
        [sys.executable, "-I", "-S", str(_LAUNCHER), *command],
        env=environment(more),
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(timeout=_TIMEOUT_SECONDS)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    seconds, peak_mb, exit_code = out.split()
    last = next(reversed(err.strip().splitlines()), "")
    return Measured(
        seconds=float(seconds), peak_mb=float(peak_mb), exit_code=int(exit_code), complaint=last
    )
