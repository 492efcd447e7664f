"""Phase × fault → exit status, state of the database, message: the whole matrix as one table.

The table is `tests/support/fault_table.py`. After every cell: the database holds what it held or
all that the run does, its structure is whole, history only grew, the token is nowhere, the run
has one end, and the next run gets to where an undisturbed one does.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from discosync.sandbox.server import SandboxServer
from tests.support.fault_table import (
    BY_DISCOGS,
    BY_MACHINE,
    COMMANDS,
    ELSEWHERE,
    ByDiscogs,
    ByMachine,
)
from tests.support.kill_scenarios import SCENARIOS, Scenario, Shop, prepare
from tests.support.kill_trials import Expected, arguments_of, check_next_run, expect
from tests.support.killing import Ended, interrupt
from tests.support.mirror_state import (
    check_history_only_grew,
    check_integrity,
    check_one_record_a_run,
    check_token_is_nowhere,
    meaning_of,
    state_of,
)
from tests.support.pages import TOP
from tests.support.postgres import Postgres
from tests.support.scripted import ScriptedDiscogs, scripted
from tests.support.shop import make_shop

_BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
_SCENARIO_BY_COMMAND = {"export": "sync-export", "pages": "sync-pages", "compare": "compare"}
_BESIDE = ("feature_flags", "flag_events", "id", "sync_run_id")
"""A way of working that fails is switched off, in a transaction of its own."""

_Known = Callable[[Scenario, SandboxServer, Postgres | None], tuple[Shop, Expected]]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> _Known:
    """What a scenario finds and leaves, found out once."""
    made: dict[object, tuple[Shop, Expected]] = {}

    def find(
        scenario: Scenario, sandbox: SandboxServer, server: Postgres | None
    ) -> tuple[Shop, Expected]:
        key = (scenario.name, server is None, len(scenario.inventory))
        if key not in made:
            directory = tmp_path_factory.mktemp("known")
            shop = prepare(directory / "shop", sandbox, server, scenario.prepare)
            made[key] = (shop, expect(shop, scenario, directory / "expected"))
        shop, expected = made[key]
        return replace(shop, sandbox=sandbox), expected

    return find


@pytest.fixture
def discogs(sandbox: SandboxServer) -> Iterator[ScriptedDiscogs]:
    """A Discogs that follows a script."""
    with scripted(sandbox) as server:
        yield server


def _check_end(
    shop: Shop, scenario: Scenario, expected: Expected, ended: Ended, cell: ByDiscogs | ByMachine
) -> None:
    told = ended.stdout + ended.stderr
    assert (ended.status, cell.says in told) == (cell.status, True), (ended.status, told)
    assert "Traceback" not in told
    check_token_is_nowhere(shop.program, told)
    check_integrity(shop.program)
    check_one_record_a_run(shop.program)
    if not scenario.is_rewriting:
        check_history_only_grew(expected.before, state_of(shop.program))
    now = meaning_of(shop.program, without=_BESIDE)
    allowed = expected.states[0] if cell.state == "before" else expected.after
    assert now == {table: rows for table, rows in allowed.items() if table not in _BESIDE}
    check_next_run(shop, scenario, expected)


@pytest.mark.parametrize(
    "cell", BY_DISCOGS, ids=[f"{c.command}-{c.phase}-{c.fault}" for c in BY_DISCOGS]
)
def test_fault_of_discogs(
    cell: ByDiscogs,
    known: _Known,
    sandbox: SandboxServer,
    discogs: ScriptedDiscogs,
    tmp_path: Path,
) -> None:
    """Whatever Discogs answers, or something before it: the run ends as the table says."""
    scenario = _BY_NAME[_SCENARIO_BY_COMMAND.get(cell.command, "enrich-api")]
    scenario = replace(scenario, command=COMMANDS[cell.command], again=COMMANDS[cell.command])
    if cell.listings is not None:
        scenario = replace(scenario, inventory=make_shop(cell.listings))
    sandbox.state.inventory = scenario.inventory
    shop, expected = known(scenario, sandbox, None)
    with shop.copied(tmp_path / "copy") as copy:
        discogs.play(cell.script)
        hostile = replace(
            copy.program,
            environment={**copy.program.environment, "DISCOGS_API_URL": discogs.url},
        )
        sandbox.state.exports.clear()
        ended = interrupt(hostile, "kill", None, *COMMANDS[cell.command], read_timeout_seconds=3)
        _check_end(copy, scenario, expected, ended, cell)


@pytest.mark.parametrize(
    "cell",
    BY_MACHINE,
    ids=[f"{c.scenario}-{c.phase}-{c.action}-{c.database}" for c in BY_MACHINE],
)
def test_fault_of_the_machine(
    cell: ByMachine,
    known: _Known,
    sandbox: SandboxServer,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    """Whatever signal, full disk or lost connection meets a run: it ends as the table says."""
    server = request.getfixturevalue("postgres") if cell.database == "postgres" else None
    scenario = _BY_NAME[cell.scenario]
    sandbox.state.inventory = scenario.inventory
    shop, expected = known(scenario, sandbox, server)
    with shop.copied(tmp_path / "copy") as copy:
        sandbox.state.exports.clear()
        form = cell.at.removeprefix("last ")
        found = sum(re.match(form, point) is not None for point in expected.ended.points)
        assert found, f"no point is {cell.at!r}"
        number = found if form != cell.at else 1
        arguments = arguments_of(copy, scenario)
        ended = interrupt(copy.program, cell.action, number, *arguments, form=form)
        _check_end(copy, scenario, expected, ended, cell)


@pytest.mark.parametrize(("phase", "fault", "test"), ELSEWHERE)
def test_what_the_table_refers_to_exists(phase: str, fault: str, test: str) -> None:
    """A row that is tested elsewhere names a test that is there."""
    path, _, name = test.partition("::")
    assert (TOP / path).is_file()
    assert f"def {name}" in (TOP / path).read_text()
