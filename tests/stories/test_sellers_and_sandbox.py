"""Several sellers in one settings file, and the sandbox as a newcomer meets it."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from discosync.core.inventory.listing import Listing
from discosync.sandbox.server import SandboxServer
from tests.support.program import TOKEN, Program, Result
from tests.support.shop import SELLER, make_shop, write_export
from tests.support.waiting import HUNG_AFTER_SECONDS, wait_until


def _write_sellers(program: Program, *names: str) -> None:
    tables = [f'[sellers.{name}]\ntoken_env = "SHOP_TOKEN"\n' for name in names]
    (program.directory / "discosync.toml").write_text("\n".join(tables))
    program.environment |= {"SHOP_TOKEN": TOKEN, "DISCOGS_TOKEN": "", "DISCOGS_USERNAME": ""}


def test_all_sellers_each_get_their_turn(sqlite_program: Program) -> None:
    """One seller that fails keeps no other from its turn, and decides the exit status."""
    _write_sellers(sqlite_program, "nobody-we-know", "velvet-crates")

    result = sqlite_program("sync", "--all-sellers", "--json", "--report", "all.json")

    assert result.exit_code == 12
    first, second = result.report["sellers"]
    assert (first["exit_code"], second["exit_code"]) == (12, 0)
    assert second["listings"]["added"] == 20
    written = json.loads((sqlite_program.directory / "all.json").read_text())
    assert written == result.report


def test_no_sellers_says_what_to_write(sqlite_program: Program) -> None:
    """--all-sellers without a table is a setting to mend."""
    result = sqlite_program("sync", "--all-sellers")
    assert result.exit_code == 10
    assert "[sellers.NAME]" in result.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("discogs_tokn = 'x'", "unknown setting 'discogs_tokn'"),
        ("not toml", "is not TOML"),
        ("[sellers.a]\nmax_removal = '3'", "[sellers.a]"),
        ("use_csv_export = 'maybe'", "USE_CSV_EXPORT"),
    ],
)
def test_fault_in_the_settings_file_is_named(sqlite_program: Program, text: str, said: str) -> None:
    """A slip in discosync.toml is found at once, with its place."""
    (sqlite_program.directory / "discosync.toml").write_text(text)
    result = sqlite_program("sync")
    assert result.exit_code == 10
    assert said in result.stderr


def test_layers_of_settings(sqlite_program: Program, sandbox: SandboxServer) -> None:
    """Environment goes before .env, .env before discosync.toml; empty counts as not set."""
    sandbox.state.inventory = make_shop(301)
    (sqlite_program.directory / "discosync.toml").write_text("use_csv_export = true\n")
    (sqlite_program.directory / ".env").write_text("USE_CSV_EXPORT=off\n")

    from_dotenv = sqlite_program("sync", "--json", USE_CSV_EXPORT="").report
    from_environment = sqlite_program("sync", "--json", USE_CSV_EXPORT="on").report

    assert from_dotenv["flags"]["USE_CSV_EXPORT"] == {"value": False, "why": ".env"}
    assert from_environment["flags"]["USE_CSV_EXPORT"] == {"value": True, "why": "environment"}
    assert (from_dotenv["source"], from_environment["source"]) == ("pages", "export")


def test_newcomers_first_command(tmp_path: Path) -> None:
    """`sync --sandbox` needs no setting at all, and the next run finds an hour gone by."""
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-m", "discosync", "sync", "--sandbox", "--json"]

    runs = [
        subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, check=False)
        for _ in range(2)
    ]
    first, second = (json.loads(run.stdout) for run in runs)

    assert [run.returncode for run in runs] == [0, 0]
    assert first["listings"]["added"] == 600
    assert first["source"] == "export"
    for kind in ("added", "updated", "removed", "reactivated"):
        assert second["listings"][kind] > 0
    assert (tmp_path / ".local/share/discosync/sandbox.db").exists()


def test_sandbox_run_leaves_the_shops_database_alone(sqlite_program: Program) -> None:
    """`--sandbox` has a database of its own, whatever DATABASE_URL says."""
    result = sqlite_program.run("sync", "--sandbox", "--json")

    assert result.exit_code == 0
    assert not sqlite_program.database_file.exists()
    assert "sandbox.db" in result.report["database"]


def test_real_file_does_not_get_into_a_sandbox_database(
    sqlite_program: Program, sandbox: SandboxServer
) -> None:
    """A made-up shop's database takes that shop's files, and nobody else's."""
    sandbox.state.is_marked = True
    sqlite_program("sync")
    path = write_export(sqlite_program.directory / "shop.csv", make_shop(20))

    own = sqlite_program("sync", "--from-file", str(path))
    other = sqlite_program("sync", "--from-file", str(path), "--seller", "a-real-shop")

    assert (own.exit_code, other.exit_code) == (0, 10)


def test_sandbox_names_a_file_it_cannot_read(sqlite_program: Program) -> None:
    """A slip in --from-csv is a usage error with the path."""
    result = sqlite_program("sandbox", "--from-csv", "nope.csv")
    assert result.exit_code == 2
    assert "nope.csv" in result.stderr


COMMAND = [sys.executable, "-m", "discosync"]


@contextmanager
def _served(directory: Path, *options: str) -> Iterator[dict[str, str]]:
    """Serve a sandbox as a process; give the environment that it prints."""
    environment = {"HOME": str(directory), "PATH": "/usr/bin:/bin"}
    server = subprocess.Popen(
        [*COMMAND, "sandbox", *options],
        env=environment,
        cwd=directory,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout
    try:
        printed = "".join(server.stdout.readline() for _ in range(4))
        yield {**environment, **dict(re.findall(r"export (\w+)=(.*)\n", printed))}
    finally:
        server.terminate()
        server.wait(timeout=HUNG_AFTER_SECONDS)
        server.stdout.close()


def _sync_there(directory: Path, environment: dict[str, str], *options: str) -> dict[str, Any]:
    done = subprocess.run(
        [*COMMAND, "sync", "--json", *options],
        env=environment,
        cwd=directory,
        capture_output=True,
        check=True,
    )
    return dict(json.loads(done.stdout))


def test_sandbox_command_prints_what_leads_to_it(tmp_path: Path) -> None:
    """The variables that `sandbox` prints are all that a staging run needs."""
    inventory = write_export(tmp_path / "shop.csv", make_shop(7))
    options = ("--from-csv", str(inventory), "--fail", "GET /oauth 503 1")
    with _served(tmp_path, *options) as environment:
        report = _sync_there(tmp_path, environment)

    assert report["listings"]["added"] == 7
    assert report["api"]["retries"] == 1
    assert (tmp_path / "staging.db").exists()


def test_sandbox_drifts_on_its_own(tmp_path: Path) -> None:
    """With --drift-every hours pass by themselves."""
    with _served(tmp_path, "--drift-every", "0.2", "--listings", "100") as environment:
        _sync_there(tmp_path, environment)

        def has_drifted() -> bool:
            later = _sync_there(tmp_path, environment, "--allow-mass-removal")
            return bool(later["listings"]["added"])

        wait_until(has_drifted)


def _sync(program: Program, shop: list[Listing], *options: str) -> Result:
    path = write_export(program.directory / "shop.csv", shop)
    return program("sync", "--from-file", str(path), "--seller", SELLER, *options, stdin=None)


@pytest.mark.parametrize(
    "command", ["stats", "purge-inactive --apply", "db compact --apply", "as-of 1h", "enrich"]
)
def test_an_unknown_seller_is_no_empty_shop(program: Program, command: str) -> None:
    """A misspelt name is refused by name, and the known ones are told."""
    assert _sync(program, make_shop(3)).exit_code == 0
    refused = program(*command.split(), "--seller", "typo")
    assert refused.exit_code == 2
    assert "nothing is known of a seller 'typo'" in refused.stderr
    assert SELLER in refused.stderr
