"""crontab.example works as it stands."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from discosync.core.catalog.enrichment import REQUESTS_PER_MINUTE_WITH_TOKEN
from tests.support.pages import TOP
from tests.support.program import Program

CRONTAB = TOP / "crontab.example"


def test_crontab_example_works_as_it_stands(sqlite_program: Program) -> None:
    """Cron's shell, cron's bare environment, each line as it is written, in the day's order."""
    lines = CRONTAB.read_text().splitlines()
    entries = [line for line in lines if line and line[0].isdigit()]
    assert [line.split()[9] for line in entries] == ["sync", "enrich"]
    assert "%" not in "".join(entries), "cron ends a command at a percent sign"
    home = sqlite_program.directory / "home"
    directory = home / "discosync"
    (directory / ".venv" / "bin").mkdir(parents=True)
    executable = shutil.which("discosync", path=str(Path(sys.executable).parent))
    assert executable
    (directory / ".venv" / "bin" / "discosync").symlink_to(executable)
    settings = ("DISCOGS_TOKEN", "DISCOGS_USERNAME", "DISCOGS_API_URL")
    dotenv = "".join(f"{n}={sqlite_program.environment[n]}\n" for n in settings)
    (directory / ".env").write_text(dotenv)

    for entry in entries:
        done = subprocess.run(
            ["/bin/sh", "-c", entry.split(maxsplit=5)[5]],
            env={"HOME": str(home), "LOGNAME": "shop", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"},
            cwd=home,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    database = f"sqlite:///{home / '.local/share/discosync/discosync.db'}"
    shown = json.loads(sqlite_program("status", "--json", DATABASE_URL=database).stdout)
    assert shown["enrichment"]["linked"] == shown["listings"]["active"] == 20


def test_the_crontab_enriches_80_000_releases_a_day() -> None:
    """By the arithmetic of its own time budget, beside twenty-four syncs."""
    line = next(x for x in CRONTAB.read_text().splitlines() if " enrich " in x)
    found = re.search(r"--time-budget (\d+)", line)
    assert found is not None
    assert int(found[1]) < 3600, "it must end before the next one begins"
    a_day = 24 * int(found[1]) * REQUESTS_PER_MINUTE_WITH_TOKEN // 60
    assert a_day - 24 * 5 >= 80_000
    assert f"{a_day:,} a day" in " ".join(CRONTAB.read_text().split())
