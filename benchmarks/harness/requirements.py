"""A separate environment for the alternatives, so that they change no other installation."""

import hashlib
import subprocess
import sys
from pathlib import Path

from benchmarks.harness.processes import TOP

_REQUIREMENTS = TOP / "benchmarks" / "requirements.txt"


def make_environment(work: Path) -> Path:
    """Install the alternatives once for each version of their list; return the interpreter."""
    key = hashlib.sha256(_REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()[:12]
    directory = work / f"venv-{key}"
    python, done = directory / "bin" / "python", directory / "complete"
    if not done.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(directory)], check=True)
        install = [str(python), "-m", "pip", "install", "-q", "-r", str(_REQUIREMENTS)]
        subprocess.run(install, check=True)
        done.touch()
    return python
