"""A seller's words cannot steer the terminal that shows them, nor the log that keeps them."""

import json
import os
import pty
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from discosync.core.inventory.listing import Listing
from discosync.core.inventory.pacific import render_export_name
from tests.support.program import Program
from tests.support.shop import FIRST_ID, SELLER, make_shop, write_export

EVIL = "\x1b]0;x\x07\x1b[31m\x9b1m\u202e"
SHOWN = r"\x1b]0;x\x07\x1b[31m\x9b1m\u202e"
STEERING = set(EVIL) - set("]0;x[31m")

COMMANDS = [
    ("sync", "--dry-run"),
    ("sync", "--dry-run", "--diff", "table"),
    ("sync", "--dry-run", "--diff", "markdown"),
    ("history", str(FIRST_ID)),
    ("as-of", "1s"),
    ("stats",),
]


def _shop(price: str) -> list[Listing]:
    return [
        replace(
            listing,
            release_title=f"{EVIL} Tides",
            comments=f"{EVIL} {price}",
            artist_names=f"{EVIL} Hollow",
            label_names=f"{EVIL} Orchard",
            price_value=Decimal(price),
        )
        for listing in make_shop(20)
    ]


def _export(program: Program, days_ago: int, shop: list[Listing]) -> str:
    moment = datetime.now(UTC) - timedelta(days=days_ago)
    return str(write_export(program.directory / render_export_name(SELLER, moment), shop))


@pytest.fixture
def shop(sqlite_program: Program) -> Program:
    """A mirror of a hostile shop: a week ago, and a price and a sale later."""
    program = sqlite_program
    for days_ago, price in ((9, "12.50"), (5, "12.00")):
        listings = _shop(price)
        if days_ago == 5:
            listings[3] = replace(listings[3], status="Sold")
        assert program("sync", "--from-file", _export(program, days_ago, listings)).exit_code == 0
    return program


def _words(shop: Program, command: tuple[str, ...]) -> list[str]:
    if command[0] == "sync":
        return [*command, "--from-file", _export(shop, 1, _shop("11.00"))]
    return list(command)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_what_people_read_is_harmless(shop: Program, command: tuple[str, ...]) -> None:
    """Piped or not, nothing that a seller wrote reaches the terminal as a control sequence."""
    result = shop(*_words(shop, command))
    assert result.exit_code == 0, result.stderr
    assert not STEERING & set(result.stdout + result.stderr)
    assert "x1b" in result.stdout


def test_tables_on_a_terminal_are_harmless(shop: Program) -> None:
    """The library that draws there drops some control characters, and not the worst one."""
    ours, theirs = pty.openpty()
    environment = {k: v for k, v in shop.environment.items() if k != "NO_COLOR"}
    environment |= {"PATH": os.environ["PATH"], "COLUMNS": "400", "TERM": "xterm"}
    words = Program.command("as-of", "1s")
    with subprocess.Popen(words, env=environment, cwd=shop.directory, stdout=theirs) as process:
        os.close(theirs)
        shown = _read_all(ours).decode()
    assert process.returncode == 0
    assert "\x1b[1m" in shown, "a table with a head in bold"
    assert SHOWN in shown
    assert "\x1b]0;" not in shown
    assert not {"\x07", "\x9b", "\u202e"} & set(shown)


def _read_all(terminal: int) -> bytes:
    read = b""
    with open(terminal, "rb", buffering=0) as stream:
        while True:
            try:
                piece = stream.read(65536)
            except OSError:  # how a terminal says that its other end was closed
                return read
            if not piece:
                return read
            read += piece


def test_machines_get_every_character(shop: Program) -> None:
    """JSON and CSV are the data, as they are."""
    past = json.loads(shop("as-of", "1s", "--json").stdout)
    assert past["listings"][0]["release_title"] == f"{EVIL} Tides"
    assert EVIL in shop("as-of", "1s", "--csv").stdout
