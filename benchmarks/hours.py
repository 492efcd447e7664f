"""Time whole processes: a first load, then an unchanged hour, from a file of made-up listings.

    python benchmarks/hours.py [--listings 100000] [--runs 3] [--database postgresql://…]

Prints medians of seconds and the peak memory of the process. Without `--database` a SQLite file
in a temporary directory is used.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from sqlalchemy import create_engine, text

from discosync.sandbox.answers import render_csv
from discosync.sandbox.inventory import make_inventory


def _sync(path: Path, database: str) -> tuple[float, int]:
    """Run one sync; return its seconds and its peak memory in kB."""
    code = (
        "import resource, subprocess, sys, time; began = time.monotonic();"
        "subprocess.run(sys.argv[1:], check=True);"
        "print(time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    command = [sys.executable, "-m", "discosync", "sync", "-q"]
    done = subprocess.run(
        [sys.executable, "-c", code, *command, "--seller", "bench", "--from-file", str(path)],
        env={**os.environ, "DATABASE_URL": database, "REPORT_DIR": str(path.parent / "reports")},
        check=True,
        capture_output=True,
        text=True,
    )
    seconds, memory = done.stdout.split()
    return float(seconds), int(memory)


def _empty(database: str) -> None:
    """Take the schema away, so that the next run is a first load."""
    if database.startswith("sqlite"):
        for path in Path(database.removeprefix("sqlite:///")).parent.glob("bench.db*"):
            if path.is_file():
                path.unlink()
        return
    engine = create_engine(database.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listings", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--database")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "bench.csv"
        path.write_bytes(render_csv(make_inventory(options.listings)))
        database = options.database or f"sqlite:///{name}/bench.db"
        first, hour = [], []
        for _ in range(options.runs):
            _empty(database)
            first.append(_sync(path, database))
            hour.append(_sync(path, database))
    for what, runs in (("first load", first), ("unchanged hour", hour)):
        seconds = statistics.median(run[0] for run in runs)
        memory = max(run[1] for run in runs) / 1024
        print(f"{what:<15} {seconds:6.2f} s  {memory:5.0f} MB")


if __name__ == "__main__":
    main()
