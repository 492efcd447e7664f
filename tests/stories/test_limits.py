"""The limits through the whole program: each on both sides of its edge."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.program import Program
from tests.support.shop import make_shop, write_export


@pytest.fixture(autouse=True)
def _without_token(sqlite_program: Program) -> None:
    """Nobody is asked for what a file lacks: the limits alone protect."""
    sqlite_program.environment["DISCOGS_TOKEN"] = ""


def _sync(program: Program, path: Path, count: int, *options: str) -> tuple[int, str]:
    result = program("sync", "--from-file", str(write_export(path, make_shop(count))), *options)
    return result.exit_code, result.stderr


@pytest.mark.parametrize(
    ("active", "removable"),
    [(30, 10), (200, 10), (220, 11), (1000, 50)],
)
def test_removals_up_to_the_limit_pass(
    sqlite_program: Program, tmp_path: Path, active: int, removable: int
) -> None:
    """max(10, min(5% of active, 500)) may vanish; one more is refused, with arithmetic."""
    path = tmp_path / "shop.csv"
    _sync(sqlite_program, path, active)

    refused = _sync(sqlite_program, path, active - removable - 1)
    allowed = _sync(sqlite_program, path, active - removable)

    assert refused[0] == 13
    assert f"would remove {removable + 1:,} of {active:,} active listings" in refused[1]
    assert f"= {removable:,}" in refused[1]
    assert "--allow-mass-removal" in refused[1]
    assert allowed[0] == 0


@pytest.mark.parametrize(
    "option", [["--allow-mass-removal"], ["--max-removals", "25"], ["--max-removals", "50%"]]
)
def test_way_out_of_the_removal_limit(
    sqlite_program: Program, tmp_path: Path, option: list[str]
) -> None:
    """The options that a refusal names let the same run through."""
    path = tmp_path / "shop.csv"
    _sync(sqlite_program, path, 50)
    assert _sync(sqlite_program, path, 25)[0] == 13
    assert _sync(sqlite_program, path, 25, *option)[0] == 0


def test_smaller_limit_from_the_settings_holds(sqlite_program: Program, tmp_path: Path) -> None:
    """MAX_REMOVALS applies to every run, and the command line goes before it."""
    path = tmp_path / "shop.csv"
    sqlite_program.environment["MAX_REMOVALS"] = "2"
    _sync(sqlite_program, path, 50)
    refused = _sync(sqlite_program, path, 47)
    assert refused[0] == 13
    assert "the limit is 2" in refused[1]
    assert _sync(sqlite_program, path, 47, "--max-removals", "3")[0] == 0


def test_field_that_changes_all_over_is_refused(sqlite_program: Program, tmp_path: Path) -> None:
    """Half of the listings may change their condition at once, not one more."""
    path = tmp_path / "shop.csv"
    shop = make_shop(60)
    _sync(sqlite_program, path, 60)

    def changed(count: int) -> Path:
        worn = [replace(x, condition="Fair (F)") if i < count else x for i, x in enumerate(shop)]
        return write_export(path, worn)

    refused = sqlite_program("sync", "--from-file", str(changed(31)))
    half = sqlite_program("sync", "--from-file", str(changed(30)), "--dry-run")
    allowed = sqlite_program("sync", "--from-file", str(changed(31)), "--allow-mass-change")

    assert refused.exit_code == 13
    assert "condition would change in 31 of 60" in refused.stderr
    assert (half.exit_code, allowed.exit_code) == (0, 0)


def test_sale_on_everything_is_no_mass_change(sqlite_program: Program, tmp_path: Path) -> None:
    """A seller may lower every price at once."""
    path = tmp_path / "shop.csv"
    shop = make_shop(60)
    _sync(sqlite_program, path, 60)
    write_export(path, [replace(x, price_value=x.price_value - 1) for x in shop])

    result = sqlite_program("sync", "--from-file", str(path), "--json")

    assert result.counts["updated"] == 60


def test_closing_a_shop_is_a_mass_change_not_a_removal(
    sqlite_program: Program, tmp_path: Path
) -> None:
    """Rows that are all drafts now are evidence: mass change refuses, not mass removal."""
    path = tmp_path / "shop.csv"
    _sync(sqlite_program, path, 60)
    write_export(path, [replace(x, status="Draft") for x in make_shop(60)])

    refused = sqlite_program("sync", "--from-file", str(path))
    allowed = sqlite_program("sync", "--from-file", str(path), "--allow-mass-change", "--json")

    assert refused.exit_code == 13
    assert "status would change in 60 of 60" in refused.stderr
    assert allowed.counts == {"seen": 60, "removed": 60}


def test_refusal_prints_the_command_that_allows_it(sqlite_program: Program, tmp_path: Path) -> None:
    """What a refusal prints can be typed, and works."""
    path = tmp_path / "shop.csv"
    _sync(sqlite_program, path, 50)
    write_export(path, make_shop(5))

    refused = sqlite_program.run("sync", "-q", "--from-file", str(path))
    command = refused.stderr.partition("allow it once: ")[2].splitlines()[0].split()
    allowed = sqlite_program.run(*command[1:])

    assert refused.exit_code == 13
    assert command == ["discosync", "sync", "-q", "--from-file", str(path), "--allow-mass-removal"]
    assert allowed.exit_code == 0
