"""What a shop's Postgres may do to a run: keep a right from it, or a lock."""

from contextlib import closing

import psycopg
import pytest

from discosync.database.connection import postgres as postgres_connections
from discosync.sandbox.server import SandboxServer
from tests.support.postgres import Postgres
from tests.support.program import Program
from tests.support.shop import make_shop, with_changed, write_export
from tests.support.waiting import wait_until


def test_right_that_lacks_costs_no_request(
    postgres_program: Program, postgres: Postgres, sandbox: SandboxServer
) -> None:
    """An export that could not be written is not asked for; the statement to type is named."""
    postgres_program("sync")
    postgres.execute(
        "DO $$ BEGIN CREATE ROLE till LOGIN; EXCEPTION WHEN duplicate_object THEN END $$"
    )
    postgres_program.query("GRANT SELECT ON ALL TABLES IN SCHEMA public TO till")
    sandbox.state.requests.clear()

    url = postgres_program.database_url.replace("//discosync@", "//till@")
    result = postgres_program("sync", "--source", "export", DATABASE_URL=url)
    dry = postgres_program("sync", "--source", "pages", "--dry-run", DATABASE_URL=url)

    assert result.exit_code == 16
    assert "INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO till" in result.stderr
    assert dry.exit_code == 0
    assert sandbox.state.requests
    assert "POST /inventory/export" not in sandbox.state.requests


@pytest.mark.parametrize(
    ("held", "command"),
    [
        ("UPDATE listings SET comments = 'x'", ["sync", "--from-file", "b.csv"]),
        ("LOCK TABLE sync_runs", ["sync", "--from-file", "b.csv"]),
        ("LOCK TABLE sync_runs", ["sync", "--from-file", "b.csv", "--dry-run"]),
        ("LOCK TABLE sync_runs", ["status"]),
        ("LOCK TABLE feature_flags", ["flags", "set", "use-cache", "on", "--reason", "x"]),
    ],
)
def test_program_in_the_way_is_named(
    postgres_program: Program, monkeypatch: pytest.MonkeyPatch, held: str, command: list[str]
) -> None:
    """Whoever left a transaction open: the command ends with 16, names it, and changes nothing."""
    monkeypatch.setattr(postgres_connections, "_LOOKS_AFTER_SECONDS", 0.1)
    write_export(postgres_program.directory / "a.csv", make_shop(5))
    changed = with_changed(make_shop(5), 3, comments="new")
    write_export(postgres_program.directory / "b.csv", changed)
    postgres_program("sync", "--from-file", "a.csv")
    before = postgres_program.digest()
    name = postgres_program.query("SELECT current_database() AS name")[0]["name"]
    postgres_program.query(f"ALTER DATABASE {name} SET lock_timeout = '1500ms'")
    url = postgres_program.database_url
    with closing(psycopg.connect(url, application_name="till")) as other:
        other.execute(held.encode())
        said = f"`SELECT pg_terminate_backend({other.info.backend_pid})`"

        def is_named() -> bool:
            # A machine that stands still sees nobody in time: then once more.
            result = postgres_program(*command)
            assert result.exit_code == 16
            return said in result.stderr and "(till, user discosync" in result.stderr

        wait_until(is_named)
    assert postgres_program.digest() == before
