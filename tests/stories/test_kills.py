"""Kill -9 in every phase of every command that writes: all or nothing, and the next run mends it.

A few points of each command here; `python -m benchmarks.kills` takes a thousand at random.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from discosync.sandbox.server import SandboxServer
from tests.support.kill_scenarios import SCENARIOS, Scenario, Shop, prepare
from tests.support.kill_trials import check_next_run, chosen_points, expect, kill
from tests.support.postgres import Postgres

ON_POSTGRES = {"sync-export", "enrich-names", "purge", "db-restore"}
"""One of each way of writing: the others are killed on Postgres by the command above."""

CASES = [
    pytest.param(scenario, database, id=f"{scenario.name}-{database}")
    for database in ("sqlite", "postgres")
    for scenario in SCENARIOS
    if database == "sqlite" or scenario.name in ON_POSTGRES
]
_Prepared = Callable[[Scenario, SandboxServer, Postgres | None], Shop]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> _Prepared:
    """What scenarios find, made once for all that find the same."""
    made: dict[object, Shop] = {}

    def find(scenario: Scenario, sandbox: SandboxServer, server: Postgres | None) -> Shop:
        key = (scenario.prepare, server is None)
        if key not in made:
            directory = tmp_path_factory.mktemp("prepared")
            made[key] = prepare(directory, sandbox, server, scenario.prepare)
        return replace(made[key], sandbox=sandbox)

    return find


@pytest.mark.parametrize(("scenario", "database"), CASES)
def test_killed_command_leaves_before_or_after(
    scenario: Scenario,
    database: str,
    prepared: _Prepared,
    sandbox: SandboxServer,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    """What is there is what was there, or all that the command does; the next run converges."""
    server = request.getfixturevalue("postgres") if database == "postgres" else None
    sandbox.state.inventory = scenario.inventory
    shop = prepared(scenario, sandbox, server)
    expected = expect(shop, scenario, tmp_path / "expected")
    # Another part of the way in each command, so that together they are killed in every phase.
    share = SCENARIOS.index(scenario) / len(SCENARIOS)
    numbers: Iterator[int] = iter(chosen_points(expected, share))
    number = next(numbers, None)
    while number is not None:
        # A kill that changes nothing is followed by the next one at once.
        with shop.copied(tmp_path / "copy") as copy:
            while number is not None and kill(copy, scenario, expected, number):
                number = next(numbers, None)
            check_next_run(copy, scenario, expected)
        number = next(numbers, None)
