"""Fail each write of each command once: `python -m tests.support.failing_disk`.

For each command and each fault: fail write number 1, then 2, and so on until the command passes.
After each: the run ends with 16 (a backup, an archive or a migration with 17) and the database is
as it was; or the run ends with 0 or 3 and the database holds what a whole run leaves, because what
failed was beside the point. Nothing is called a bug, nothing is left behind, and the same command
then succeeds.

`--only NAME,…` takes some commands, `--fault ENOSPC,…` some faults, `--every 7 --first 2` writes
2, 9, 16 …
"""

import argparse
import errno
import gc
import os
import pickle
import shutil
import sqlite3
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import discosync
from discosync.cli import load_commands
from discosync.sandbox.server import SandboxServer
from discosync.sandbox.state import SandboxState
from tests.support.failing import SQLITE_SAYS, Faults
from tests.support.old_shop import make_old_shop, old_row
from tests.support.program import TOKEN, environment_for
from tests.support.shop import FIRST_ID, SELLER, make_shop, with_changed, write_export

_FAULTS = {errno.errorcode[code]: code for code in SQLITE_SAYS}
_COLUMNS = "listing_id, status, price_value, comments, is_active, removal_reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One command on one state; `statuses` are those that a failing disk may give it."""

    name: str
    words: tuple[str, ...]
    state: str = "changed"
    statuses: frozenset[int] = frozenset({16})


_WITH_BACKUP = frozenset({16, 17})
_FILE = f"{SELLER}-inventory-20260301-1200.csv"
CASES = (
    Case(name="first", words=("sync", "--from-file", _FILE), state="empty"),
    Case(name="file", words=("sync", "--from-file", _FILE, "--report", "r/report.json")),
    Case(name="export", words=("sync", "--source", "export")),
    Case(name="pages", words=("sync", "--source", "pages")),
    Case(name="unchanged", words=("sync", "--from-file", _FILE), state="unchanged"),
    Case(name="dry", words=("sync", "--dry-run", "--source", "pages", "--report", "r.json")),
    Case(name="compare", words=("compare",)),
    Case(name="enrich", words=("enrich", "--limit", "3")),
    Case(name="names", words=("enrich", "--names-only")),
    Case(
        name="purge",
        words=("purge-inactive", "--apply", "--older-than", "180d", "--max-purge", "100%"),
        state="unchanged",
        statuses=_WITH_BACKUP,
    ),
    Case(name="restore", words=("restore", str(FIRST_ID)), state="unchanged"),
    Case(name="flag", words=("flags", "set", "USE_CACHE", "off")),
    Case(name="first-flag", words=("flags", "set", "USE_CACHE", "off"), state="empty"),
    Case(name="rollback", words=("rollback-flag", "use-csv-export", "--reason", "stuck")),
    Case(name="stats", words=("stats", "--html", "page/stats.html")),
    Case(name="backup", words=("db", "backup"), statuses=_WITH_BACKUP),
    Case(name="downgrade", words=("db", "downgrade", "-1", "--allow-loss"), statuses=_WITH_BACKUP),
    Case(name="upgrade", words=("db", "upgrade"), state="behind", statuses=_WITH_BACKUP),
    Case(name="adopt", words=("db", "upgrade"), state="old", statuses=_WITH_BACKUP),
    Case(name="back", words=("db", "restore", "{backup}"), statuses=_WITH_BACKUP),
    Case(
        name="compact",
        words=("db", "compact", "--apply", "--older-than", "1s"),
        statuses=_WITH_BACKUP,
    ),
    Case(name="clear", words=("cache", "clear")),
)


@dataclass(slots=True)
class Outcome:
    """How one run ended, and which write failed, if any."""

    status: int
    failed: str | None
    said: str


@dataclass(slots=True)
class Lab:
    """A directory with the states to start from, and a Discogs to ask."""

    place: Path
    server: str
    bad: list[str] = field(default_factory=list)
    runs: int = 0

    @property
    def work(self) -> Path:
        """Where the command runs; each time on a fresh copy of its state."""
        return self.place / "work"

    def environment(self) -> dict[str, str]:
        """Give the program's whole environment."""
        more = {
            "DATABASE_URL": f"sqlite:///{self.work}/mirror.db",
            "DISCOGS_API_URL": self.server,
            "DISCOGS_TOKEN": TOKEN,
            "DISCOGS_USERNAME": SELLER,
            "HOME": str(self.work / "home"),
            "TMPDIR": str(self.work / "tmp"),
        }
        return environment_for(more)

    def reset(self, state: str) -> None:
        """Put a fresh copy of a state in place."""
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.copytree(self.place / state, self.work)

    def run(self, *words: str, at: int = 0, code: int = errno.ENOSPC) -> Outcome:
        """Run the program in a child of this process, whose imports are done already."""
        self.runs += 1
        backups = sorted(self.work.glob("backups/*.db"))
        named = [word.format(backup=backups[0] if backups else "") for word in words]
        reading, writing = os.pipe()
        said = self.place / "said.txt"
        child = os.fork()
        if child == 0:
            os.close(reading)
            _be_the_program(self, named, Faults(at, code, (self.work,)), writing, said)
        os.close(writing)
        with os.fdopen(reading, "rb") as answer:
            status, failed = pickle.loads(answer.read() or pickle.dumps((None, None)))  # noqa: S301
        _, ended = os.waitpid(child, 0)
        if status is None:
            status = -ended
        return Outcome(status, failed, said.read_text(errors="replace"))


def _be_the_program(lab: Lab, words: list[str], faults: Faults, writing: int, said: Path) -> None:
    """Run the command line with one fault, tell the parent how it ended, and end."""
    status: Any = 1
    tell = os.write
    try:
        os.chdir(lab.work)
        os.environ.clear()
        os.environ.update({**lab.environment(), "PATH": "/usr/bin:/bin"})
        tempfile.tempdir = None
        time.sleep = lambda _seconds: None
        output = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        from discosync.cli import main  # noqa: PLC0415 - in the child

        sys.argv = ["discosync", *words]
        faults.install()
        try:
            main()
            status = 0
        except SystemExit as end:
            status = end.code or 0
        except BaseException:  # noqa: BLE001 - it is what the parent looks for
            traceback.print_exc()
        sys.stdout.flush()
    finally:
        tell(writing, pickle.dumps((status, faults.failed)))
        os._exit(0)


def content_of(database: Path) -> object:
    """Give what the database holds, without what differs from run to run: ids, moments."""
    if not database.exists() or not database.stat().st_size:
        return None
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as opened:

        def ask(statement: str) -> list[tuple[Any, ...]]:
            try:
                return opened.execute(statement).fetchall()
            except sqlite3.OperationalError as exc:
                return [(str(exc),)]

        shape = ask("SELECT name, sql FROM sqlite_master ORDER BY name")
        counts = [
            ask(f'SELECT count(*) FROM "{n}"') for n, _ in shape if n and _is_table(opened, n)
        ]
        if not any(sum(row) for count in counts for row in count):
            return None
        return (
            shape,
            ask(f"SELECT {_COLUMNS} FROM listings ORDER BY listing_id"),
            ask("SELECT kind, listing_id, fields FROM listing_changes ORDER BY id"),
            ask("SELECT command FROM sync_runs ORDER BY id"),
            ask("SELECT flag, is_rolled_back FROM feature_flags ORDER BY flag"),
            ask("SELECT version_num FROM alembic_version"),
            ask("SELECT count(*) FROM listing_artists"),
        )


def _is_table(opened: sqlite3.Connection, name: str) -> bool:
    found = opened.execute("SELECT type FROM sqlite_master WHERE name = ?", (name,)).fetchone()
    return bool(found and found[0] == "table" and name != "alembic_version")


def leftovers(work: Path) -> list[str]:
    """Name what no finished run leaves: drafts, temporary directories, spools."""
    found = []
    for path in work.rglob("*"):
        inner = path.relative_to(work).as_posix()
        is_draft = path.name.endswith((".tmp", ".part", "-journal")) or ".part" in path.suffixes
        is_place = path.name.startswith((".discosync-", "discosync-"))
        in_spool = "mirror.db.snapshots/" in inner and ".kept" not in inner
        if is_draft or is_place or in_spool:
            found.append(inner)
    return found


def prepare(lab: Lab) -> None:
    """Make the states to start from."""
    shop = with_changed(with_changed(make_shop(20), 0, status="Sold"), 1, status="Sold")
    later = with_changed([*make_shop(22)[2:], *shop[:2]], 5, comments="another")
    for state in ("empty", "old"):
        directory = lab.place / state
        for name in ("home", "tmp"):
            (directory / name).mkdir(parents=True)
        write_export(directory / _FILE, later)
    rows = [old_row(listing) for listing in make_shop(3)]
    make_old_shop(f"sqlite:///{lab.place}/old/mirror.db", rows)
    lab.reset("empty")
    first = lab.work / f"{SELLER}-inventory-20250101-1200.csv"
    write_export(first, shop)
    _must(lab, "sync", "--from-file", first.name)
    first.unlink()
    _must(lab, "enrich", "--limit", "2")
    _must(lab, "db", "backup")
    shutil.copytree(lab.work, lab.place / "changed")
    _must(lab, "sync", "--from-file", _FILE)
    shutil.copytree(lab.work, lab.place / "unchanged")
    _must(lab, "db", "downgrade", "-1", "--allow-loss")
    shutil.copytree(lab.work, lab.place / "behind")


def _must(lab: Lab, *words: str) -> None:
    outcome = lab.run(*words)
    assert outcome.status in {0, 3}, (words, outcome)


def check(lab: Lab, case: Case, code: int, numbers: Iterable[int]) -> int:
    """Fail these writes of one command, one after the other; return where they ended."""
    lab.reset(case.state)
    before = content_of(lab.work / "mirror.db")
    whole = lab.run(*case.words)
    assert whole.status in {0, 3}, (case.name, whole)
    after = content_of(lab.work / "mirror.db")
    for number in numbers:
        lab.reset(case.state)
        outcome = lab.run(*case.words, at=number, code=code)
        if outcome.failed is None:
            return number
        held = content_of(lab.work / "mirror.db")
        left = leftovers(lab.work)
        faults = list(_judge(case, outcome, is_before=held == before, is_after=held == after))
        # Where removing failed, the next run removes; but WAL is tried once in a database's life.
        could_remove = not outcome.failed.startswith(("os.remove", "os.rmdir"))
        if left and could_remove:
            faults.append(f"left {left}")
        again = lab.run(*case.words)
        if again.status not in {0, 3}:
            faults.append(f"the next run ended with {again.status}: {again.said}")
        elif (left := leftovers(lab.work)) and could_remove:
            faults.append(f"after the next run there is {left}")
        elif outcome.status not in {0, 3} and content_of(lab.work / "mirror.db") != after:
            faults.append("the next run did not do it")
        lab.bad += [
            f"{case.name} #{number} {errno.errorcode[code]} at {outcome.failed}: {fault}\n"
            f"    ({outcome.status}) {outcome.said[-900:]}"
            for fault in faults
        ]
    raise AssertionError(f"{case.name} has no end")


def _judge(case: Case, outcome: Outcome, *, is_before: bool, is_after: bool) -> Iterator[str]:
    if "bug" in outcome.said or "Traceback" in outcome.said:
        yield "it is called a bug"
    if outcome.status in {0, 3}:
        # A comparison is told although it could not be recorded.
        is_told = case.name == "compare" and outcome.status == 3 and is_before
        if not is_after and not is_told:
            yield "it is called a success, and was none"
    elif outcome.status not in case.statuses:
        yield f"it ended with {outcome.status}"
    elif not is_before:
        yield "something was changed"
    elif "→" not in outcome.said and "hint" not in outcome.said:
        yield "nobody is told what to do"


def _import_everything() -> None:
    """Import once, before the children, what each of them would import."""
    for module in walk_packages(discosync.__path__, "discosync."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    for name in ("alembic.command", "dotenv", "platformdirs", "requests_cache", "xml.etree"):
        import_module(name)
    load_commands()
    gc.freeze()


def main() -> int:
    """Check every command that was asked for; say what is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=",".join(case.name for case in CASES))
    parser.add_argument("--fault", default=",".join(_FAULTS))
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--first", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, _serving() as server:
        lab = Lab(Path(name).resolve(), server)
        _import_everything()
        prepare(lab)
        for case in (case for case in CASES if case.name in options.only.split(",")):
            for fault in options.fault.split(","):
                seen = len(lab.bad)
                count = check(
                    lab, case, _FAULTS[fault], range(options.first, 100_000, options.every)
                )
                print(  # noqa: T201 - a command of its own
                    f"{case.name:<12} {fault:<7} {count:4} writes, {len(lab.bad) - seen} bad",
                    *lab.bad[seen:],
                    sep="\n",
                    flush=True,
                )
    print(f"{lab.runs} runs, {len(lab.bad)} bad")  # noqa: T201
    return 1 if lab.bad else 0


class _serving:  # noqa: N801 - a context
    """A sandbox in a process of its own: this one forks, and must have one thread only."""

    def __enter__(self) -> str:
        reading, writing = os.pipe()
        self._child = os.fork()
        if self._child == 0:
            state = SandboxState(
                seller=SELLER,
                token=TOKEN,
                inventory=make_shop(20),
                is_marked=False,
                zips_exports=False,
            )
            server = SandboxServer(state)
            os.write(writing, server.url.encode())
            os.close(writing)
            server.serve_forever()
        os.close(writing)
        with os.fdopen(reading) as answer:
            return answer.read()

    def __exit__(self, *_: object) -> None:
        os.kill(self._child, 9)
        os.waitpid(self._child, 0)


if __name__ == "__main__":
    sys.exit(main())
