"""Fixtures: both databases, a sandbox on loopback, and the program pointed at them."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from discosync.sandbox.server import SandboxServer, serving
from discosync.sandbox.state import SandboxState
from tests.support.instant_waits import make_waiting_instant
from tests.support.postgres import Postgres, running_postgres
from tests.support.program import TOKEN, Program, environment_for
from tests.support.promises import Tally, keep_promised
from tests.support.redis import Redis, running_redis
from tests.support.shop import SELLER, make_shop

# How long an example takes on a busy machine says nothing about the program.
settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")


# Whoever runs the tests with `nohup` has SIGHUP ignored, and with it all that they start.
signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the cassettes be recorded anew, and the table of promises be written."""
    parser.addoption("--record-cassettes", action="store_true", help="record them anew")
    help_text = "run the tests of what is promised, and write docs/explanation/promises.md"
    parser.addoption("--promises", action="store_true", help=help_text)


def pytest_configure(config: pytest.Config) -> None:
    """Count the tests of promises where asked, in the process that hears of all tests."""
    if config.getoption("--promises") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Tally())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With `--promises` run nothing else."""
    if config.getoption("--promises"):
        items[:] = keep_promised(items)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real server for the whole session."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that runs in this process would have waited for Discogs, and do not."""
    return make_waiting_instant(monkeypatch)


@pytest.fixture
def redis_server() -> Iterator[Redis]:
    """A real server, empty, that the test may pause or end."""
    with running_redis() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, on SQLite and on Postgres."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'mirror.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.create_database()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """An empty SQLite database."""
    return f"sqlite:///{tmp_path / 'mirror.db'}"


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    """A Discogs look-alike that does not say so, with twenty listings."""
    state = SandboxState(
        seller=SELLER, token=TOKEN, inventory=make_shop(20), is_marked=False, zips_exports=False
    )
    with serving(state) as server:
        yield server


def _program(
    directory: Path, monkeypatch: pytest.MonkeyPatch, url: str, server: SandboxServer
) -> Program:
    monkeypatch.chdir(directory)
    return Program(
        directory,
        environment_for(
            {
                "DATABASE_URL": url,
                "DISCOGS_API_URL": server.url,
                "DISCOGS_TOKEN": TOKEN,
                "DISCOGS_USERNAME": SELLER,
                "HOME": str(directory),
            }
        ),
    )


@pytest.fixture
def program(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    database_url: str,
    sandbox: SandboxServer,
) -> Program:
    """The program on both databases, pointed at the sandbox."""
    return _program(tmp_path, monkeypatch, database_url, sandbox)


@pytest.fixture
def postgres_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: Postgres, sandbox: SandboxServer
) -> Program:
    """The program on Postgres, pointed at the sandbox."""
    return _program(tmp_path, monkeypatch, postgres.create_database(), sandbox)


@pytest.fixture
def sqlite_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_url: str, sandbox: SandboxServer
) -> Program:
    """The program on SQLite, pointed at the sandbox."""
    return _program(tmp_path, monkeypatch, sqlite_url, sandbox)
