"""A process that has imported the program once, and forks for each run.

Starting Python and importing everything takes a second, a fork a hundredth of one. Each line of
standard input asks for one run, as JSON; each line of standard output says how one ended. Every
run is a process of its own, with an environment, a directory and signals of its own; none waits for
Discogs.
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import sys
import traceback
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.support.points import Points, open_handles, watch_all


def main() -> None:
    """Answer one run after the other until nobody asks any more."""
    points = Points()
    # Before the program is imported, so that it imports the drivers as they are watched.
    watch_all(points)
    _import_everything()
    from tests.support.instant_waits import make_waiting_instant  # noqa: PLC0415 - imports it

    make_waiting_instant(pytest.MonkeyPatch())
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        asked = json.loads(line)
        process = os.fork()
        if process == 0:
            _run(points, asked)
        _, status, used = os.wait4(process, 0)
        ended = {
            "status": os.waitstatus_to_exitcode(status),
            "memory_kilobytes": used.ru_maxrss,
            "cpu_seconds": used.ru_utime + used.ru_stime,
        }
        sys.stdout.write(json.dumps(ended) + "\n")
        sys.stdout.flush()


def _import_everything() -> None:
    import discosync  # noqa: PLC0415 - after the drivers are watched

    for module in pkgutil.walk_packages(discosync.__path__, "discosync."):
        if "_migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in ("sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql.psycopg"):
        importlib.import_module(name)


def _run(points: Points, asked: dict[str, Any]) -> NoReturn:
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["directory"])
    told = Path(asked["told"])
    for number, name in ((0, os.devnull), (1, told / "stdout"), (2, told / "stderr")):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        opened = os.open(name, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for the run's life
    sys.argv = ["discosync", *asked["arguments"]]
    if asked["read_timeout_seconds"]:
        _lose_patience(asked["read_timeout_seconds"])
    points.begin(
        at=asked["at"],
        action=asked["action"],
        form=asked["form"],
        log=told / "points",
        directory=Path(asked["directory"]),
    )
    before = open_handles()
    status = _status_of_main()
    if open_handles() > before:
        gc.collect()  # of what refers to itself
    handles = {"before": before, "peak": points.peak_handles, "after": open_handles()}
    (told / "handles").write_text(json.dumps(handles))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _lose_patience(read_timeout_seconds: float) -> None:
    """Have each request tried twice only, and wait no longer than this for its answer."""
    from discosync.commands.enriching import api_lookups  # noqa: PLC0415 - imported already
    from discosync.commands.syncing import from_api  # noqa: PLC0415 - imported already
    from discosync.discogs.http.patience import Patience  # noqa: PLC0415 - imported already

    hasty = Patience(attempts=2, read_timeout_seconds=read_timeout_seconds)
    for module in (from_api, api_lookups):
        name = "Transport"  # it imports that from elsewhere
        setattr(module, name, partial(getattr(module, name), patience=hasty))


def _status_of_main() -> int:
    from discosync.__main__ import main as run  # noqa: PLC0415 - imported already, in the parent

    try:
        run()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    except BaseException:  # noqa: BLE001 - as the interpreter ends a program
        traceback.print_exc()
        return 1
    finally:
        atexit._run_exitfuncs()  # noqa: SLF001 - `os._exit` calls none
    return 0


if __name__ == "__main__":
    main()
