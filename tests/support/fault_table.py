"""The fault matrix: in which phase what goes wrong, and how the run must end.

A row of `BY_DISCOGS` is a script of a hostile Discogs (`tests/support/scripted.py`); one of
`BY_MACHINE` is what happens at a point of the run (`tests/support/points.py`). `state` is what the
database holds then: what it held `before`, all that the run does (`after`).
`ELSEWHERE` names the tests of what needs more than a row.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from tests.support.scripted import AS_USUAL, Answer, Script

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "export": ("sync", "--source", "export"),
    "pages": ("sync", "--source", "pages"),
    "enrich": ("enrich", "--all"),
    "compare": ("compare",),
}


@dataclass(frozen=True, slots=True)
class ByDiscogs:
    """One row: with this script the command ends with this status, and says this."""

    phase: str
    fault: str
    command: str
    script: Script
    status: int
    says: str
    state: str = "before"
    listings: int | None = None


@dataclass(frozen=True, slots=True)
class ByMachine:
    """One row: when this happens at the point that `at` describes, the run ends like that."""

    scenario: str
    phase: str
    at: str
    action: str
    status: int
    says: str = ""
    state: str = "before"
    database: str = "sqlite"


def said(status: int, body: str = "", *headers: tuple[str, str]) -> Answer:
    """Make an answer with a body that the sandbox does not give; it hears nothing of it."""
    return Answer(status=status, body=body.encode(), headers=headers, is_heard=False)


def _lines(first: int, last: int | None, body: bytes) -> bytes:
    return b"".join(body.splitlines(keepends=True)[first:last])


def _twice_with_two_prices(body: bytes) -> bytes:
    lines = body.splitlines(keepends=True)
    return body + re.sub(rb",\d+\.\d+,", b",99.50,", lines[1])


_MESSAGE = '{"message": "made up"}'
_HTML = "<html><body>We will be back soon</body></html>"
_ROWS = partial(_lines, 0, -4)
"""The export without its last rows, cut exactly between two."""

REFUSED_TOKEN = said(401, _MESSAGE)
HTML = said(200, _HTML, ("Content-Type", "text/html"))
FIREWALL = said(403, _HTML)
BROKEN = said(500, _HTML)
THROTTLED = said(429, _MESSAGE)
NOT_FOUND = said(404, _MESSAGE)
RESET = Answer(raw=b"", ending="reset")
SILENT = Answer(raw=b"", ending="hang")
NO_HTTP = Answer(raw=b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
CUT = Answer(cut_at=30)
LONGER_THAN_ANNOUNCED = Answer(announced=30)
NO_GZIP = Answer(headers=(("Content-Encoding", "gzip"),))
MANY_HEADERS = Answer(headers=tuple((f"X-Flood-{n}", "x") for n in range(200)))
HUGE_HEADER = Answer(headers=(("X-Flood", "x" * 100_000),))
COOKIES = Answer(headers=tuple(("Set-Cookie", f"c{n}=x; Path=/") for n in range(60)))
NOT_MODIFIED = said(304)
NO_CONTENT = said(204)
ELSEWHERE_ADDRESS = "http://127.0.0.1:9/elsewhere"
REDIRECTED = said(302, "", ("Location", ELSEWHERE_ADDRESS))


def _once(answer: Answer) -> list[Answer]:
    return [Answer(**{**{n: getattr(answer, n) for n in answer.__slots__}, "stays": False})]


def _rows(
    phase: str, command: str, endpoint: str, faults: Sequence[tuple[str, Answer, int, str]]
) -> list[ByDiscogs]:
    return [
        ByDiscogs(phase, fault, command, {endpoint: [answer]}, status, says)
        for fault, answer, status, says in faults
    ]


_EVERYWHERE = [
    ("500 for ever", BROKEN, 15, "500"),
    ("429 for ever", THROTTLED, 15, "429"),
    ("HTML of a firewall", FIREWALL, 15, "in front of Discogs"),
    ("reset", RESET, 15, "Discogs"),
    ("no HTTP", NO_HTTP, 15, "Discogs"),
    ("200 headers", MANY_HEADERS, 15, "Discogs"),
    ("header of 100 kB", HUGE_HEADER, 15, "Discogs"),
    ("304 unasked", NOT_MODIFIED, 15, "304"),
    ("redirect to another host", REDIRECTED, 15, "Discogs"),
]

_JSON = [
    ("HTML with 200", HTML, 14, "a web page"),
    ("JSON list", said(200, "[]"), 14, "instead of JSON"),
    ("cut", CUT, 14, "ended early"),
    ("longer than announced", LONGER_THAN_ANNOUNCED, 14, "instead of JSON"),
    ("no gzip", NO_GZIP, 14, "cannot be unpacked"),
]

_PASSING = [
    ("503 once", said(503, _HTML)),
    ("429 once", said(429, _MESSAGE, ("Retry-After", "1"))),
    ("reset once", RESET),
    ("cut once", CUT),
]

BY_DISCOGS = [
    *_rows(
        "identity",
        "export",
        "identity",
        [
            *_EVERYWHERE,
            *_JSON,
            ("token refused", REFUSED_TOKEN, 12, "refuses the token"),
            ("forbidden", said(403, _MESSAGE), 12, "does not allow"),
            ("another seller", said(200, '{"id": 2, "username": "somebody"}'), 12, "somebody"),
            ("nobody", said(200, '{"id": 2}'), 14, "whose token"),
            ("never answers", SILENT, 15, "Discogs"),
        ],
    ),
    *_rows(
        "witness",
        "export",
        "page",
        [
            ("500 for ever", BROKEN, 15, "500"),
            ("token refused", REFUSED_TOKEN, 12, "refuses the token"),
            ("404", NOT_FOUND, 10, "no seller"),
            ("another shape", said(200, '{"pagination": {}}'), 14, "not an inventory page"),
        ],
    ),
    *_rows(
        "ask for the export",
        "export",
        "ask",
        [
            ("token refused", REFUSED_TOKEN, 12, "refuses the token"),
            ("409 without an export", said(409, _MESSAGE), 15, "export"),
            ("500, unheard", BROKEN, 15, "500"),
            ("429 for ever", THROTTLED, 15, "429"),
            ("no address", Answer(headers=(("Location", ""),)), 15, "export"),
        ],
    ),
    *_rows(
        "wait for the export",
        "export",
        "look",
        [
            ("token revoked", REFUSED_TOKEN, 12, "refuses the token"),
            ("gone", NOT_FOUND, 15, "404"),
            ("500 for ever", BROKEN, 15, "500"),
            ("unknown word", said(200, '{"id": 18867000, "status": "gathering"}'), 15, "not ready"),
            ("failed", said(200, '{"id": 18867000, "status": "failed"}'), 15, "failed"),
            ("HTML with 200", HTML, 15, "a web page"),
        ],
    ),
    *_rows(
        "download",
        "export",
        "download",
        [
            *_EVERYWHERE[:5],
            ("token revoked", REFUSED_TOKEN, 12, "refuses the token"),
            ("gone", NOT_FOUND, 15, "404"),
            ("cut", Answer(cut_at=2000), 14, "ended early"),
            ("cut in a row, unannounced", Answer(cut_at=2000, framing="close"), 14, "line"),
            ("chunks unfinished", Answer(framing="unfinished"), 14, "ended early"),
            ("cut between rows, unannounced", Answer(edit=_ROWS, framing="close"), 14, "listings"),
            (
                "chunks that end early, well-formed",
                Answer(edit=_ROWS, framing="chunked"),
                14,
                "listings",
            ),
            ("header only", Answer(edit=partial(_lines, 0, 1)), 14, "listings"),
            ("nothing", said(200), 14, "empty"),
            ("HTML with 200", HTML, 14, "cut short"),
            ("no gzip", NO_GZIP, 14, "cannot be unpacked"),
            ("no ZIP", said(200, "PK\x03\x04 but not really"), 14, "not a zip file"),
            ("column lacks", Answer(edit=lambda b: b.replace(b"price", b"prize", 1)), 14, "price"),
            ("listing twice, differing", Answer(edit=_twice_with_two_prices), 14, "twice"),
            (
                "bytes that are no text",
                Answer(edit=lambda b: b.replace(b"Tides", b"T\xff\xfe")),
                14,
                "",
            ),
        ],
    ),
    *_rows(
        "walk through the pages",
        "pages",
        "page",
        [
            *_EVERYWHERE[:5],
            *_JSON[:4],
            ("token revoked", REFUSED_TOKEN, 12, "refuses the token"),
            ("never answers", SILENT, 15, "Discogs"),
        ],
    ),
    *_rows(
        "look up a release",
        "enrich",
        "release",
        [
            ("token refused", REFUSED_TOKEN, 12, "refuses the token"),
            ("429 for ever", THROTTLED, 15, "429"),
            ("500 for ever", BROKEN, 15, "500"),
        ],
    ),
    *_rows(
        "both ways",
        "compare",
        "download",
        [("cut", CUT, 14, "ended early"), ("gone", NOT_FOUND, 15, "404")],
    ),
    *(
        ByDiscogs(endpoint, fault, command, {endpoint: _once(answer)}, 0, "", state="after")
        for command, endpoint in (("export", "look"), ("pages", "page"))
        for fault, answer in _PASSING
    ),
    *(
        ByDiscogs("download", fault, "export", {"download": _once(answer)}, 0, "", state="after")
        for fault, answer in _PASSING
    ),
    ByDiscogs("everywhere", "60 cookies", "export", {"identity": [COOKIES]}, 0, "", state="after"),
    ByDiscogs(
        "walk through the pages",
        "second page breaks",
        "pages",
        {"page": [AS_USUAL, BROKEN]},
        15,
        "500",
        listings=150,
    ),
    ByDiscogs(
        "ask for the export",
        "reset, though heard",
        "export",
        {"ask": _once(Answer(cut_at=0, announced=9, ending="reset"))},
        0,
        "",
        state="after",
    ),
]

_SYNC_PHASES = [
    ("identity", r"before GET /oauth/identity"),
    ("ask for the export", r"before POST /inventory/export"),
    ("wait for the export", r"before GET /inventory/export/\d+$"),
    ("download", r"before GET /inventory/export/\d+/download"),
    ("parse", r"before reading .*\.csv"),
    ("plan", r"before SELECT .*listings"),
    ("write", r"before (UPDATE|INSERT INTO|CREATE TEMP\w* TABLE) .*listing"),
]
_SIGNALS = [
    ("term", 143, "terminated"),
    ("int", 130, "interrupted"),
    ("budget", 18, "--time-budget"),
]
_COMMIT, _AFTER = r"last before COMMIT", r"last after COMMIT"

BY_MACHINE = [
    *(
        ByMachine("sync-export", phase, at, action, status, says)
        for phase, at in _SYNC_PHASES
        for action, status, says in _SIGNALS
    ),
    *(
        ByMachine("sync-export", phase, at, action, 0, state="after")
        for phase, at in (("commit", _COMMIT), ("after the commit", _AFTER))
        for action, _, _ in _SIGNALS
    ),
    *(
        ByMachine("sync-export", phase, at, "disk", 16, "nothing was changed")
        for phase, at in (
            *_SYNC_PHASES[5:],
            ("commit", _COMMIT),
            ("fetch", r"before writing .*csv"),
        )
    ),
    ByMachine("sync-export", "report", r"before rename to sync-", "disk", 3, "report", "after"),
    *(
        ByMachine(scenario, "write", at, action, status, says)
        for scenario, at in (
            ("restore-run", r"before (UPDATE|INSERT INTO) "),
            ("purge", r"before DELETE FROM"),
            ("sync-file", r"before (UPDATE|INSERT INTO) "),
        )
        for action, status, says in (_SIGNALS[0], ("disk", 16, "nothing was changed"))
    ),
    *(
        ByMachine(scenario, "commit", _COMMIT, "term", 0, state="after")
        for scenario in ("restore-run", "purge", "sync-file")
    ),
    *(
        ByMachine(
            "sync-export", phase, at, "connection", 16, "nothing was changed", "before", "postgres"
        )
        for phase, at in _SYNC_PHASES[5:]
    ),
    ByMachine("sync-export", "commit", _COMMIT, "connection", 16, "", "before", "postgres"),
    ByMachine("sync-export", "after the commit", _AFTER, "connection", 0, "", "after", "postgres"),
]

_STORIES = "tests/stories"
_PROCESSES, _WAYS = f"{_STORIES}/test_processes.py", f"{_STORIES}/test_export_ways.py"
_TRANSPORT = "tests/discogs/http/test_transport.py"
ELSEWHERE = [
    ("every", "kill -9", f"{_STORIES}/test_kills.py"),
    (
        "every",
        "second run",
        f"{_PROCESSES}::test_second_run_names_the_holder_at_once",
    ),
    ("every", "drip", f"{_PROCESSES}::test_time_budget_bounds_everything"),
    ("every", "wrong clock", f"{_STORIES}/test_clocks.py"),
    ("every", "Redis down or lying", "tests/discogs/cache/test_answer_cache.py"),
    (
        "identity",
        "other host",
        f"{_TRANSPORT}::test_redirect_to_another_host_gets_no_token",
    ),
    (
        "ask",
        "fallback",
        f"{_WAYS}::test_auto_falls_back_to_pages_in_the_same_run",
    ),
    ("ask", "old export", f"{_WAYS}::test_old_export_is_not_adopted"),
    ("start", "schema", f"{_STORIES}/test_storage.py::test_outdated_schema_names_the_command"),
    ("start", "read only", f"{_STORIES}/test_storage.py::test_read_only_database_is_exit_16"),
    ("plan", "limits", f"{_STORIES}/test_limits.py"),
    ("plan", "moved", f"{_STORIES}/test_storage.py::test_row_changed_meanwhile_is_a_conflict"),
    ("commit", "answer lost", f"{_STORIES}/test_lost_commit.py"),
]
