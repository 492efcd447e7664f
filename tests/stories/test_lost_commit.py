"""A COMMIT whose acknowledgement is lost is resolved, not guessed."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.lossy_proxy import LossyProxy
from tests.support.postgres import Postgres
from tests.support.program import Program
from tests.support.shop import make_shop, write_export


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
