"""Kill every command that writes at random points, and see what is left.

    python -m benchmarks.kills [--kills 1000] [--databases sqlite,postgres] [--only sync-export,…]
        [--seed 1] [--signal kill|term|hup|int]

Each kill is a `kill -9` at one of the numbered points of a run (before and after every statement,
commit, request and file). After it the database holds what it held before, or all that the command
does; its structure is whole, history only grew, and the next run gets to the same state as if
nothing had happened. With `--signal term` a run is asked to end instead: then its exit status must
say, too, whether data was changed. At the end: how many kills, in how many phases, and what went
wrong. The benchmark also says how much memory a run takes, and how many open files and connections.
"""

import argparse
import random
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from discosync.sandbox.server import serving
from discosync.sandbox.state import SandboxState
from tests.support.kill_scenarios import SCENARIOS, Scenario, Shop, prepare
from tests.support.kill_trials import STATUS_BY_ACTION, Expected, check_next_run, expect, kill, stop
from tests.support.postgres import running_postgres
from tests.support.program import TOKEN
from tests.support.shop import SELLER


def main() -> None:
    """Kill, check, and print one line a command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--databases", default="sqlite,postgres")
    parser.add_argument("--only", default="")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--signal", choices=["kill", *STATUS_BY_ACTION], default="kill")
    options = parser.parse_args()
    random.seed(options.seed)
    databases, only = options.databases.split(","), set(options.only.split(",")) - {""}
    chosen = [s for s in SCENARIOS if not only or s.name in only]
    each = -(-options.kills // (len(databases) * len(chosen)))
    faults = kills = 0
    for database in databases:
        for scenario in chosen:
            count = min(each, options.kills - kills)
            faults += _kill_many(database, scenario, count, options.signal)
            kills += count
    print(f"{kills} kills, {faults} faults")
    sys.exit(1 if faults else 0)


def _kill_many(database: str, scenario: Scenario, count: int, action: str) -> int:
    with ExitStack() as stack:
        state = SandboxState(seller=SELLER, token=TOKEN, is_marked=False, zips_exports=False)
        state.inventory = scenario.inventory
        sandbox = stack.enter_context(serving(state))
        server = stack.enter_context(running_postgres()) if database == "postgres" else None
        top = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kills-")))
        shop = prepare(top / "shop", sandbox, server, scenario.prepare)
        expected = expect(shop, scenario, top / "expected")
        faults = [
            fault
            for _ in range(count)
            if (fault := _kill_once(shop, scenario, expected, top / "copy", action))
        ]
    ended = expected.ended
    print(
        f"{database:<9}{scenario.name:<18}{len(ended.points):>5} points {count:>5} kills"
        f"{len(faults):>4} faults  {ended.memory_kilobytes / 1024:>4.0f} MB"
        f"{ended.handles['peak'] - ended.handles['before']:>4} files and connections",
        flush=True,
    )
    for fault in faults:
        print(f"    {fault}")
    return len(faults)


def _kill_once(
    shop: Shop, scenario: Scenario, expected: Expected, directory: Path, action: str
) -> str:
    number = random.randint(1, len(expected.ended.points))
    with shop.copied(directory) as copy:
        try:
            if action == "kill":
                kill(copy, scenario, expected, number)
            else:
                stop(copy, scenario, expected, number, action)
            check_next_run(copy, scenario, expected)
        except AssertionError as fault:
            return f"point {number} ({expected.ended.points[number - 1]}): {str(fault)[:300]}"
    return ""


if __name__ == "__main__":
    main()
