"""The token and passwords come out nowhere: not on the screen, in a file, or in the database."""

import base64
import json
from urllib.parse import quote

import pytest
import requests

from discosync.sandbox.server import SandboxServer
from discosync.sandbox.state import Fault
from tests.support.program import TOKEN, Program
from tests.support.shop import SELLER, make_shop

PASSWORD = "plover-0123-sentinel"  # noqa: S105 - the tests look for it where it must not be


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


ENCODED = [TOKEN, quote(TOKEN, safe=""), _base64(TOKEN)]


def _everywhere(program: Program, *outputs: str) -> str:
    """Put together all that a run has left: output, files with their names, the database."""
    files = [path for path in program.directory.rglob("*") if path.is_file()]
    return "\0".join(
        [*outputs, *map(str, files), *(path.read_bytes().decode("latin-1") for path in files)]
    )


def _assert_hidden(program: Program, *arguments: str, **more: str) -> int:
    """Run with every log there is; say how it ended."""
    report = str(program.directory / "report.json")
    ended = program(*arguments, "-vv", "--report", report, stdin=None, **more)
    found = _everywhere(program, ended.stdout, ended.stderr)
    for secret in (TOKEN, _base64(TOKEN), PASSWORD, _base64(f"joe:{PASSWORD}")):
        assert secret not in found, f"{secret} came out"
    return ended.exit_code


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 409, 422])
@pytest.mark.parametrize("form", ENCODED)
def test_token_that_discogs_echoes_is_hidden(
    sqlite_program: Program, sandbox: SandboxServer, status: int, form: str, waits: list[float]
) -> None:
    """In a body, a header or a link, and wherever the cut of a long message falls."""
    body = json.dumps({"message": "x" * 190 + f" your token {form}", "username": form})
    headers = {"Location": f"{sandbox.url}/inventory/export/{form}", "X-Echo": form}
    sandbox.state.faults = [
        Fault(path="/oauth", status=status, body=body, headers=headers, times=99)
    ]
    report = str(sqlite_program.directory / "report.json")
    told = sqlite_program("sync", "-vv", "--report", report, "--json")
    assert told.exit_code != 0
    found = _everywhere(sqlite_program, told.stdout, told.stderr)
    assert form not in found
    assert form[:12] not in found


def test_token_in_a_page_gets_into_no_row(sqlite_program: Program, sandbox: SandboxServer) -> None:
    """A link or a comment that repeats it is kept without it."""
    shop = make_shop(3)
    for listing in shop:
        object.__setattr__(listing, "comments", f"see ?token={TOKEN}")
        object.__setattr__(listing, "uri", f"https://www.discogs.com/sell/item/1?token={TOKEN}")
    sandbox.state.inventory = shop
    assert _assert_hidden(sqlite_program, "sync", "--source", "pages") == 0
    assert sqlite_program.query("SELECT DISTINCT comments FROM listings") == [
        {"comments": "see ?token=***"}
    ]


ADDRESS = f"http://joe:{PASSWORD}@127.0.0.1:1"
WRONG_PLACES = [
    {"DISCOGS_USERNAME": TOKEN},
    {"DISCOGS_CURRENCY": TOKEN},
    {"DISCOGS_API_URL": TOKEN},
    {"DISCOGS_API_URL": f"https://api.example/{TOKEN}"},
    {"DISCOGS_API_URL": f"https://joe:{PASSWORD}@127.0.0.1:1"},
    {"DISCOGS_API_URL": f"joe:{PASSWORD}@127.0.0.1:1"},
    {"DISCOGS_API_URL": "https://127.0.0.1:1", "HTTPS_PROXY": ADDRESS},
    {"DATABASE_URL": TOKEN},
    {"DATABASE_URL": f"sqlite:////nowhere/{TOKEN}.db"},
    {"DATABASE_URL": f"postgresql://joe:{PASSWORD}@127.0.0.1:1/shop"},
    {"DATABASE_URL": f"postgresql://joe:{PASSWORD}@[127.0.0.1:1/shop"},
    {"DATABASE_URL": f"mysql://joe:{PASSWORD}@127.0.0.1/shop"},
    {"REDIS_URL": f"redis://joe:{PASSWORD}@127.0.0.1:1/0"},
    {"REDIS_URL": f"http://joe:{PASSWORD}@127.0.0.1:1/0"},
    {"USE_CACHE": TOKEN},
    {"MAX_REMOVALS": TOKEN},
    {"REPORT_DIR": f"/proc/{TOKEN}"},
    {"LOG_FORMAT": ADDRESS},
    {"LOG_FORMAT": "json", "DISCOGS_TOKEN": f"{TOKEN} x"},
]


@pytest.mark.parametrize("settings", WRONG_PLACES, ids="-".join)
def test_secret_in_the_wrong_setting_is_hidden(
    sqlite_program: Program, settings: dict[str, str]
) -> None:
    """People paste into the wrong line; the message names the line, and not the secret."""
    more = {"DISCOGS_API_URL": "http://127.0.0.1:1", "NO_PROXY": "", **settings}
    assert _assert_hidden(sqlite_program, "sync", "--time-budget", "1", **more) != 0


@pytest.mark.parametrize(
    "words",
    [
        ("sync", "--seller", TOKEN),
        ("sync", "--from-file", TOKEN),
        ("sync", "--config", f"/nowhere/{TOKEN}"),
        ("runs", TOKEN),
        ("history", TOKEN),
        ("as-of", TOKEN),
        ("restore", "--run", TOKEN),
    ],
    ids=lambda words: " ".join(words).replace(TOKEN, "TOKEN"),
)
def test_token_on_the_command_line_is_hidden(
    sqlite_program: Program, words: tuple[str, ...]
) -> None:
    """Whatever refuses it, repeats it without its letters."""
    ended = sqlite_program(*words)
    assert ended.exit_code != 0
    assert TOKEN not in _everywhere(sqlite_program, ended.stdout, ended.stderr)


@pytest.mark.parametrize("words", [("sync", f"--{TOKEN}"), (TOKEN,)], ids=["option", "command"])
def test_token_as_an_option_or_command_is_hidden(
    sqlite_program: Program, words: tuple[str, ...]
) -> None:
    """The words of a usage error are not our own."""
    ended = sqlite_program.run(*words)
    assert ended.exit_code == 2
    assert TOKEN not in ended.stdout + ended.stderr


def test_traceback_of_a_bug_hides_secrets(
    sqlite_program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A library's own words may hold an address; the traceback is printed without it."""

    def broken(*_words: object, **_more: object) -> None:
        raise ZeroDivisionError(f"{ADDRESS} and {TOKEN}")

    monkeypatch.setattr(requests.Session, "request", broken)
    for log_format in ("text", "json"):
        more = {"HTTPS_PROXY": ADDRESS, "LOG_FORMAT": log_format}
        assert _assert_hidden(sqlite_program, "sync", **more) == 1


def test_reason_of_a_flag_is_kept_without_a_token(sqlite_program: Program) -> None:
    """Somebody pastes an error with its token into the reason."""
    assert sqlite_program("sync").exit_code == 0
    told = sqlite_program("rollback-flag", "use-csv-export", "--reason", f"401 for {TOKEN}")
    assert told.exit_code == 0
    assert TOKEN not in _everywhere(sqlite_program, told.stdout)
    (row,) = sqlite_program.query("SELECT reason FROM flag_events")
    assert row["reason"] == "401 for ***"


def test_sellers_name_is_never_a_token(sqlite_program: Program) -> None:
    """It would stand in every row, and in the names of files."""
    told = sqlite_program("sync", "--seller", TOKEN, "--json")
    assert told.exit_code == 10
    assert told.report["error"]["code"] == "bad_setting"
    assert SELLER not in told.stderr
