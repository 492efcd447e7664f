"""Where the process starts: Python's cycle collector stays out of the way."""

import json
import subprocess
import sys
from pathlib import Path

from tests.support.program import Program
from tests.support.shop import make_shop, write_export


def test_collector_is_out_of_the_way(sqlite_program: Program, tmp_path: Path) -> None:
    """An unchanged hour never looks for cycles, and what it says and writes is all there."""
    export = write_export(tmp_path / "shop.csv", make_shop(50))
    sqlite_program("sync", "--from-file", str(export))
    code = (
        "import atexit, gc, json, sys\n"
        "collected = []\n"
        "gc.callbacks.append(lambda phase, info: collected.append(phase))\n"
        "atexit.register(lambda: print(len(collected), gc.get_freeze_count(), file=sys.stderr))\n"
        "from discosync.__main__ import main\n"
        "main()"
    )
    report = tmp_path / "report.json"
    command = ("sync", "--json", "--from-file", str(export))
    done = subprocess.run(
        [sys.executable, "-c", code, *command, "--report", str(report)],
        env=sqlite_program.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    collections, frozen = map(int, done.stderr.splitlines()[-1].split())
    assert frozen > 0
    assert collections <= 4
    assert json.loads(done.stdout) == json.loads(report.read_text())
