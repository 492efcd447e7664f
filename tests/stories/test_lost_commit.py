"""A COMMIT whose acknowledgement is lost, or stays out for ever, is resolved and not guessed."""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from discosync.commands.steps import committing
from discosync.database.connection import postgres_commit
from tests.support.lossy_proxy import LossyProxy
from tests.support.postgres import Postgres
from tests.support.program import Program
from tests.support.shop import make_shop, with_changed, write_export
from tests.support.silent_proxy import SilentProxy
from tests.support.waiting import ENDLESS_SECONDS, HUNG_AFTER_SECONDS, wait_until


@pytest.fixture
def proxy(postgres: Postgres) -> Iterator[LossyProxy]:
    """A lossy way to the server."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        proxy = LossyProxy(Path(name), postgres.sockets)
        yield proxy
        proxy.close()


def test_lost_answer_to_commit_is_looked_up(
    sqlite_program: Program, postgres: Postgres, proxy: LossyProxy, tmp_path: Path
) -> None:
    """The connection breaks after COMMIT was sent: the run's own row tells that it took place."""
    url = postgres.create_database()
    program = sqlite_program
    program.environment["DATABASE_URL"] = url
    path = write_export(tmp_path / "shop.csv", make_shop(5))
    program("sync", "--from-file", str(path))
    write_export(path, make_shop(9))
    lossy = url.replace(str(postgres.sockets), str(proxy.directory))

    result = program("sync", "--from-file", str(path), "--json", DATABASE_URL=lossy)

    assert proxy.lost == 1
    assert result.exit_code == 0
    assert result.counts["added"] == 4
    assert len(program.query("SELECT * FROM listings")) == 9
    assert len(program.query("SELECT * FROM sync_runs")) == 2


def test_lost_answer_to_a_part_of_an_enrichment_is_looked_up(
    sqlite_program: Program, postgres: Postgres, proxy: LossyProxy
) -> None:
    """The part's own report in the run's row tells that it took place: nothing is done twice."""
    url = postgres.create_database()
    program = sqlite_program
    program.environment["DATABASE_URL"] = url
    assert program("sync", "-q").exit_code == 0
    lossy = url.replace(str(postgres.sockets), str(proxy.directory))

    result = program("enrich", "--names-only", "--json", DATABASE_URL=lossy)

    assert proxy.lost == 1
    assert result.exit_code == 0
    assert result.report["enrichment"]["listings"] == 20
    assert len(program.query("SELECT * FROM listing_artists")) == 20
    assert len(program.query("SELECT * FROM sync_runs WHERE command = 'enrich'")) == 1


@pytest.fixture
def shop(sqlite_program: Program, postgres: Postgres) -> Program:
    """The program on a Postgres of its own, with five listings."""
    sqlite_program.environment["DATABASE_URL"] = postgres.create_database()
    path = write_export(sqlite_program.directory / "shop.csv", make_shop(5))
    assert sqlite_program("sync", "--from-file", str(path)).exit_code == 0
    write_export(path, make_shop(9))
    return sqlite_program


Silent = Callable[..., str]


@pytest.fixture
def silent(shop: Program, postgres: Postgres) -> Iterator[Silent]:
    """Give addresses of the shop's database behind proxies that fall silent."""
    proxies = []
    with tempfile.TemporaryDirectory(dir="/tmp") as name:

        def way(**how: object) -> str:
            proxies.append(SilentProxy(Path(name), postgres.sockets, **how))  # type: ignore[arg-type]
            return shop.database_url.replace(str(postgres.sockets), name)

        yield way
        for proxy in proxies:
            proxy.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait: what is swallowed never comes, however long one waits for it."""
    monkeypatch.setattr(postgres_commit, "COMMIT_SECONDS", 0.1)
    monkeypatch.setattr(postgres_commit, "_GIVES_UP_SECONDS", 0.1)
    monkeypatch.setattr(committing, "_LOOK_EVERY_SECONDS", 0.0)


@pytest.mark.usefixtures("impatient")
def test_swallowed_answer_is_asked_for_elsewhere(shop: Program, silent: Silent) -> None:
    """The server has committed, and nobody hears of it on that connection: the run is ok."""
    url = silent(swallows="answer")

    result = shop("sync", "--from-file", "shop.csv", "--json", DATABASE_URL=url)

    assert (result.exit_code, result.report["status"]) == (0, "ok")
    assert len(shop.query("SELECT * FROM listings")) == 9


@pytest.mark.usefixtures("impatient")
def test_swallowed_commit_did_not_take_place(shop: Program, silent: Silent) -> None:
    """The server never got it: its transaction is ended, nothing is changed, the next run works."""
    before = shop.digest()
    url = silent(swallows="question")

    result = shop("sync", "--from-file", "shop.csv", "--json", DATABASE_URL=url)

    assert (result.exit_code, result.report["error"]["code"]) == (16, "not_committed")
    assert "nothing was changed" in result.report["error"]["hint"]
    assert shop.digest() == before
    assert shop("sync", "--from-file", "shop.csv", "--json").counts["added"] == 4


@pytest.mark.usefixtures("impatient")
def test_silent_server_leaves_the_commit_unknown(
    shop: Program, silent: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When nobody can be asked, the run says so, and which process of the server has to end."""
    monkeypatch.setattr(postgres_commit, "_LOOKS_SECONDS", 0.0)
    url = silent(swallows="question", is_alone=True)

    result = shop("sync", "--from-file", "shop.csv", "--json", DATABASE_URL=url)

    error = result.report["error"]
    assert (result.exit_code, error["code"]) == (16, "commit_unknown")
    assert f"discosync runs {result.report['run_id']}" in error["hint"]
    pid = error["hint"].partition("pg_terminate_backend(")[2].partition(")")[0]
    # It holds the lock, as the next run is told; once it has ended, the run after that works.
    assert shop("sync", "--from-file", "shop.csv").exit_code == 11
    shop.query(f"SELECT pg_terminate_backend({pid}, 60000)")
    assert shop("sync", "--from-file", "shop.csv", "--json").counts["added"] == 4


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("swallows", "ends"), [("answer", {0}), ("question", {0, 16, 17})])
@pytest.mark.parametrize(
    "command",
    [
        ("flags", "set", "use-cache", "off", "--json"),
        ("enrich", "--names-only", "--json"),
        ("restore", "{removed}", "--json"),
        ("db", "downgrade", "-1", "--allow-loss", "--no-backup", "--json"),
        ("db", "compact", "--apply", "--no-backup", "--json"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_every_command_that_commits_is_bounded(
    shop: Program, silent: Silent, command: tuple[str, ...], swallows: str, ends: set[int]
) -> None:
    """Whoever commits: what became of it decides the status, and nothing hangs."""
    write_export(shop.directory / "shop.csv", with_changed(make_shop(5), 3, status="Sold"))
    assert shop("sync", "--from-file", "shop.csv").exit_code == 0
    (removed,) = shop.query("SELECT listing_id FROM listings WHERE NOT is_active")
    url = silent(swallows=swallows)

    result = shop(
        *(word.format(removed=removed["listing_id"]) for word in command), DATABASE_URL=url
    )

    assert result.exit_code in ends, result.stderr
    if result.exit_code:
        assert "did not answer the COMMIT, which did not take place" in result.stderr
        assert "nothing was changed" in result.stderr


@pytest.fixture
def lonely(shop: Program, postgres: Postgres) -> Iterator[Program]:
    """The shop's database waits for a standby that does not exist."""
    name = shop.database_url.partition("@/")[2].partition("?")[0]
    postgres.execute("ALTER SYSTEM SET synchronous_standby_names = 'gone'")
    postgres.execute("SELECT pg_reload_conf()")
    probe = f"{shop.database_url}&options=-csynchronous_commit%3Don"
    wait_until(lambda: _hangs(probe, shop))
    postgres.execute(f"ALTER DATABASE {name} SET synchronous_commit = on")
    try:
        yield shop
    finally:
        postgres.execute("ALTER SYSTEM RESET synchronous_standby_names")
        postgres.execute("SELECT pg_reload_conf()")


HUNG = (
    "SELECT pid FROM pg_stat_activity "
    "WHERE wait_event = 'SyncRep' AND backend_type = 'client backend'"
)
HUNG_RUN = f"{HUNG} AND application_name LIKE 'discosync%'"


def _hangs(url: str, shop: Program) -> bool:
    """Whether a commit hangs already: the server learns of its new settings a little later."""

    def commit() -> None:
        with suppress(psycopg.Error), psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP TABLE IF EXISTS nothing; CREATE TABLE nothing ()")

    thread = threading.Thread(target=commit)
    thread.start()
    wait_until(lambda: not thread.is_alive() or bool(shop.query(HUNG)))
    is_hung = thread.is_alive()
    while thread.is_alive():
        shop.query(HUNG.replace("SELECT pid", "SELECT pg_cancel_backend(pid)"))
        thread.join(0.02)
    return is_hung


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "command",
    [("sync", "--from-file", "shop.csv"), ("flags", "set", "use-cache", "off")],
    ids=["sync", "flags"],
)
def test_standby_that_is_gone_is_a_warning(lonely: Program, command: tuple[str, ...]) -> None:
    """The server has committed and waits: it is asked to stop waiting, and the shop is warned."""
    result = lonely(*command)

    assert result.exit_code == 3
    assert "synchronous replication" in result.stderr
    is_sync = command[0] == "sync"
    rows = lonely.query("SELECT * FROM listings" if is_sync else "SELECT * FROM flag_events")
    assert len(rows) == (9 if is_sync else 1)
    wait_until(lambda: not lonely.query(HUNG))  # its server process ends by itself


def _start(program: Program, *, commit_seconds: float) -> "subprocess.Popen[str]":
    code = (
        "from discosync.database.connection import postgres_commit\n"
        f"postgres_commit.COMMIT_SECONDS = {commit_seconds}\n"
        "from discosync.__main__ import main\n"
        "main()"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, "sync", "--from-file", "shop.csv", "--report", "report.json"],
        env={**program.environment, "PATH": os.environ["PATH"]},
        cwd=program.directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_signal_during_a_hung_commit_waits_for_its_fate(lonely: Program) -> None:
    """One SIGTERM does not change the status of what the server has committed."""
    process = _start(lonely, commit_seconds=3)
    wait_until(lambda: bool(lonely.query(HUNG_RUN)))

    process.terminate()
    _, said = process.communicate(timeout=HUNG_AFTER_SECONDS)

    assert process.returncode == 3, said
    assert (lonely.directory / "report.json").exists()
    assert len(lonely.query("SELECT * FROM listings")) == 9


def test_second_signal_ends_a_run_with_a_hung_commit(lonely: Program) -> None:
    """It ends at once; its transaction holds the lock until somebody ends that, as is told."""
    process = _start(lonely, commit_seconds=ENDLESS_SECONDS)
    wait_until(lambda: bool(lonely.query(HUNG_RUN)))

    def send() -> bool:
        process.terminate()
        return process.poll() is not None

    wait_until(send)
    _, said = process.communicate(timeout=HUNG_AFTER_SECONDS)

    assert process.returncode == 143
    assert "discosync runs" in said
    assert lonely("sync", "--from-file", "shop.csv").exit_code == 11
    lonely.query(HUNG.replace("SELECT pid", "SELECT pg_terminate_backend(pid, 60000)"))
    assert len(lonely.query("SELECT * FROM listings")) == 9
