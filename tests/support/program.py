"""Run discosync: in this process for most tests, as a process of its own where that matters."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from typer.testing import CliRunner

from discosync.cli import app, load_commands
from tests.support.waiting import HUNG_AFTER_SECONDS

load_commands()

TOKEN = "sEcReTtOkEn-0123456789-abcdef"  # noqa: S105 - the tests look for it where it must not be
EXECUTABLE = (sys.executable, "-m", "discosync")


@dataclass(frozen=True, slots=True)
class Result:
    """What a run left behind."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def report(self) -> dict[str, Any]:
        """The report that `--json` printed."""
        return dict(json.loads(self.stdout))

    @property
    def counts(self) -> dict[str, int]:
        """The report's `listings`, without what is zero."""
        return {k: v for k, v in self.report["listings"].items() if v}


@dataclass(slots=True)
class Program:
    """discosync with its environment, in a directory of its own."""

    directory: Path
    environment: dict[str, str]

    def __call__(self, *arguments: str, stdin: bytes | None = None, **more: str) -> Result:
        """Run in this process."""
        environment = {**self.environment, **more}
        result = CliRunner().invoke(app, list(arguments), env=environment, input=stdin)
        assert TOKEN not in result.output, "the token must be nowhere"
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Result(result.exit_code, result.stdout, result.stderr)

    @staticmethod
    def command(*arguments: str) -> list[str]:
        """Give the command line of a process."""
        return [*EXECUTABLE, *arguments]

    def start(self, *arguments: str, **more: str) -> "subprocess.Popen[str]":
        """Start a process, as cron would: with nothing but these variables."""
        environment = {**self.environment, "PATH": os.environ["PATH"], **more}
        return subprocess.Popen(
            self.command(*arguments),
            env=environment,
            cwd=self.directory,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *arguments: str, **more: str) -> Result:
        """Run a process to its end."""
        process = self.start(*arguments, **more)
        stdout, stderr = process.communicate(timeout=HUNG_AFTER_SECONDS)
        return Result(process.returncode, stdout, stderr)

    @property
    def database_url(self) -> str:
        """Where it mirrors to."""
        return self.environment["DATABASE_URL"]

    @property
    def database_file(self) -> Path:
        """The SQLite file it mirrors to."""
        return Path(self.database_url.removeprefix("sqlite:///"))

    def query(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        """Ask the mirror directly, as the shop does."""
        address = self.database_url.replace("postgresql://", "postgresql+psycopg://")
        engine = create_engine(address)
        try:
            with engine.begin() as connection:
                result = connection.execute(text(statement), values)
                return [dict(row) for row in result.mappings()] if result.returns_rows else []
        finally:
            engine.dispose()

    def digest(self) -> list[dict[str, Any]]:
        """Everything the mirror holds, to compare before and after."""
        tables = ("listings", "listing_changes", "sync_runs")
        return [row for t in tables for row in self.query(f"SELECT * FROM {t} ORDER BY id")]


def environment_for(base: Mapping[str, str]) -> dict[str, str]:
    """Unset every setting of the machine that runs the tests, then set these."""
    settings = (
        *("DISCOGS_TOKEN", "DISCOGS_USERNAME", "DATABASE_URL", "DISCOGS_API_URL"),
        *("REDIS_URL", "XDG_CACHE_HOME"),
    )
    return {**dict.fromkeys(settings, ""), "NO_COLOR": "1", **base}
