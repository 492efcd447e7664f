"""Time whole processes: a first load and the hours after it, from files of made-up listings.

    python benchmarks/hours.py [--listings 100000] [--runs 3] [--database postgresql://…]

Prints medians of seconds, of processor seconds (on Postgres those of discosync alone), and the
peak memory of the process. The hours are: the same file again; another form of a hundredth of the
records, which is no change; a tenth changed, 1% gone and 1% new. Without `--database` a SQLite file
in a temporary directory is used.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from sqlalchemy import create_engine, text

from discosync.sandbox.answers import render_csv
from discosync.sandbox.inventory import make_inventory


def _sync(path: Path, database: str) -> tuple[float, float, int]:
    """Run one sync; return its seconds, its processor seconds and its peak memory in kB."""
    code = (
        "import resource, subprocess, sys, time; began = time.monotonic();"
        "subprocess.run(sys.argv[1:], check=True);"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN);"
        "print(time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss)"
    )
    command = [sys.executable, "-m", "discosync", "sync", "-q", "--allow-mass-removal"]
    done = subprocess.run(
        [sys.executable, "-c", code, *command, "--seller", "bench", "--from-file", str(path)],
        env={**os.environ, "DATABASE_URL": database, "REPORT_DIR": str(path.parent / "reports")},
        check=True,
        capture_output=True,
        text=True,
    )
    seconds, processor_seconds, memory = done.stdout.split()
    return float(seconds), float(processor_seconds), int(memory)


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
        hours = _make_hours(Path(name), options.listings)
        database = options.database or f"sqlite:///{name}/bench.db"
        runs: dict[str, list[tuple[float, float, int]]] = {what: [] for what in hours}
        for _ in range(options.runs):
            _empty(database)
            for what, path in hours.items():
                runs[what].append(_sync(path, database))
    for what, figures in runs.items():
        seconds, used = (statistics.median(run[at] for run in figures) for at in (0, 1))
        memory = max(run[2] for run in figures) / 1024
        print(f"{what:<15} {seconds:6.2f} s  {used:6.2f} s cpu  {memory:5.0f} MB")


def _make_hours(directory: Path, count: int) -> dict[str, Path]:
    """Write the file of each hour."""
    everything = make_inventory(count + count // 100)
    shop, new = everything[:count], everything[count:]
    header, *records = render_csv(shop).splitlines(keepends=True)
    formed = [b"0" + r if at % 100 == 0 and r[:1].isdigit() else r for at, r in enumerate(records)]
    changed = [
        replace(x, price_value=x.price_value + 1) if at % 10 == 0 else x
        for at, x in enumerate(shop)
        if at % 100 != 1
    ]
    bodies = {
        "first load": header + b"".join(records),
        "same file again": header + b"".join(records),
        "another form": header + b"".join(formed),
        "a tenth changed": render_csv([*changed, *new]),
    }
    paths = {}
    for number, (what, body) in enumerate(bodies.items()):
        paths[what] = directory / f"hour-{number}.csv"
        paths[what].write_bytes(body)
    return paths


if __name__ == "__main__":
    main()
