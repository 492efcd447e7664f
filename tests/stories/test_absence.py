"""A listing that a snapshot lacks is taken for gone only when Discogs says so."""

import json
from pathlib import Path

import pytest

from discosync.sandbox.server import SandboxServer
from discosync.sandbox.state import Fault
from tests.support.program import Program, Result
from tests.support.shop import FIRST_ID, make_shop, with_changed, write_export

LOOKUPS = "/marketplace/listings/"


def _asked(sandbox: SandboxServer) -> list[int]:
    """Return the listings that were asked for since the last call."""
    start = f"GET {LOOKUPS}"
    found = [int(r.removeprefix(start)) for r in sandbox.state.requests if r.startswith(start)]
    sandbox.state.requests.clear()
    return found


def _sync(program: Program, *options: str) -> Result:
    return program("sync", "--source", "export", "--json", *options)


def _problems(result: Result) -> dict[str, str]:
    return {problem["code"]: problem["text"] for problem in result.report["problems"]}


def _active(program: Program) -> int:
    return int(program.query("SELECT count(*) AS n FROM active_listings")[0]["n"])


def _row(program: Program, number: int) -> dict[str, object]:
    (row,) = program.query(
        "SELECT status, removal_reason, sold_at, content_hash FROM listings "
        "WHERE listing_id = :listing_id",
        listing_id=str(FIRST_ID + number),
    )
    return row


def test_short_export_removes_nothing(program: Program, sandbox: SandboxServer) -> None:
    """An export that lacks listings which are for sale removes none of them, and ends with 3."""
    sandbox.state.inventory = make_shop(1000)
    _sync(program)
    sandbox.state.exported = make_shop(1000)[:995]  # within the tolerance of the count
    sandbox.state.requests.clear()

    result = _sync(program)

    assert result.exit_code == 3
    assert "missing in the inventory: 5 listings" in _problems(result)["lacks_listings"]
    assert result.report["absence"]["for_sale"] == 5
    assert result.counts == {"seen": 995, "unchanged": 995, "active": 1000}
    assert sorted(_asked(sandbox)) == [FIRST_ID + n for n in range(995, 1000)]
    assert _active(program) == 1000


def test_deleted_listing_is_removed(program: Program, sandbox: SandboxServer) -> None:
    """What Discogs does not have any more is removed as missing, without a warning."""
    _sync(program)
    sandbox.state.inventory = make_shop(18)

    result = _sync(program)

    assert result.exit_code == 0
    assert result.counts == {"seen": 18, "unchanged": 18, "removed": 2, "active": 18}
    assert result.report["absence"] == {
        "missing": 2, "asked": 2, "gone": 2, "not_for_sale": 0, "for_sale": 0, "unproven": 0,
        "waiting": 0, "sampled": False,
    }  # fmt: skip
    assert _row(program, 19)["removal_reason"] == "missing"


@pytest.mark.parametrize(
    ("status", "reason"),
    [("Sold", "sold"), ("Draft", "draft"), ("Violation", "violation"), ("Expired", "expired")],
)
def test_look_up_says_why_it_is_gone(
    program: Program, sandbox: SandboxServer, status: str, reason: str
) -> None:
    """A walk through the pages sees a gap; the look-up says what it is, and the export agrees."""
    program("sync", "--source", "pages")
    sandbox.state.inventory = with_changed(make_shop(20), 4, status=status)

    by_pages = program("sync", "--source", "pages", "--json", "--changes")
    row = _row(program, 4)
    by_export = _sync(program, "--changes")

    assert (by_pages.exit_code, by_export.exit_code) == (0, 0)
    (change,) = by_pages.report["changes"]
    assert change["kind"] == "removed"
    assert change["fields"]["status"] == ["For Sale", status]
    assert change["fields"]["removal_reason"] == [None, reason]
    assert (row["status"], row["removal_reason"]) == (status, reason)
    assert (row["sold_at"] is not None) == (status == "Sold")
    assert by_export.report["changes"] == []
    assert _row(program, 4) == row


def test_a_run_that_took_a_look_up_can_be_undone(program: Program, sandbox: SandboxServer) -> None:
    """`restore --run` brings back status and hash, so that the next sync removes it again."""
    program("sync", "--source", "pages")
    before = _row(program, 4)
    sandbox.state.inventory = with_changed(make_shop(20), 4, status="Sold")
    run_id = program("sync", "--source", "pages", "--json").report["run_id"]

    program("restore", "--run", run_id)

    assert _row(program, 4) == before


def test_walk_that_lost_listings_removes_none_of_them(
    program: Program, sandbox: SandboxServer
) -> None:
    """As many added as a walk lost: both counts agree, and only the look-ups show it."""
    sandbox.state.inventory = make_shop(250)
    program("sync", "--source", "pages")
    inventory = sandbox.state.inventory

    def move() -> None:
        # One of the first page is sold and one is added: what follows moves up by one.
        sandbox.state.inventory = [*inventory[1:], *make_shop(251)[250:]]

    sandbox.state.after["/inventory"] = lambda: sandbox.state.after.update({"/inventory": move})

    result = program("sync", "--source", "pages", "--json")

    assert result.exit_code == 3
    assert result.report["absence"]["for_sale"] == 1
    assert result.report["listings"]["removed"] == 0
    assert _active(program) == 251


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(path=LOOKUPS, times=9, status=500), "500"),
        (Fault(path=LOOKUPS, times=9, status=401, body='{"message": "no"}'), "401"),
        (Fault(path=LOOKUPS, times=9, status=429), "429"),
        (
            Fault(path=LOOKUPS, times=9, status=200, body='{"id": 1, "status": "Sold"}'),
            "another listing",
        ),
        (Fault(path=LOOKUPS, times=9, status=404, body="<html>"), "404"),
        (Fault(path=LOOKUPS, times=9, cut_at=5), "ended early"),
    ],
)
def test_no_answer_is_no_proof(
    sqlite_program: Program, sandbox: SandboxServer, waits: list[float], fault: Fault, said: str
) -> None:
    """A look-up that fails or is refused removes nothing; everything else is applied, with 3."""
    _sync(sqlite_program)
    sandbox.state.inventory = with_changed(make_shop(19), 0, location="moved")
    sandbox.state.faults = [fault]

    result = _sync(sqlite_program)

    assert result.exit_code == 3
    assert said in " ".join(_problems(result).values())
    assert result.counts == {"seen": 19, "unchanged": 18, "updated": 1, "active": 20}
    # Discogs is well again: the next run asks, and removes it.
    sandbox.state.faults = []
    assert _sync(sqlite_program).counts["removed"] == 1


def test_server_in_trouble_is_asked_three_times(
    sqlite_program: Program, sandbox: SandboxServer, waits: list[float]
) -> None:
    """After three listings without an answer the others wait for the next run."""
    _sync(sqlite_program)
    sandbox.state.inventory = make_shop(12)
    sandbox.state.faults = [Fault(path=LOOKUPS, times=99, status=502)]

    result = _sync(sqlite_program)

    assert (result.exit_code, result.report["listings"]["removed"]) == (3, 0)
    assert (result.report["absence"]["asked"], result.report["absence"]["waiting"]) == (3, 5)
    assert "5 listings" in _problems(result)["not_yet_asked"]
    assert "502" in _problems(result)["not_yet_asked"]


def test_time_budget_that_ends_half_way(
    sqlite_program: Program, sandbox: SandboxServer, waits: list[float]
) -> None:
    """Half of the time is for look-ups: who was not asked for waits, what was proven is removed."""
    _sync(sqlite_program)
    sandbox.state.inventory = make_shop(12)
    # The fifth answer asks for more patience than there is time.
    sandbox.state.faults = [
        Fault(path=LOOKUPS, after=4, times=99, status=429, headers={"Retry-After": "50"})
    ]

    result = _sync(sqlite_program, "--time-budget", "60")

    assert (result.exit_code, result.report["listings"]["removed"]) == (3, 4)
    assert result.report["absence"]["waiting"] == 4
    assert _active(sqlite_program) == 16


def test_mass_removal_is_refused_before_anybody_is_asked(
    sqlite_program: Program, sandbox: SandboxServer
) -> None:
    """The limits come first: a refused run asks Discogs for no listing."""
    sandbox.state.inventory = make_shop(400)
    _sync(sqlite_program)
    sandbox.state.inventory = make_shop(150)
    _asked(sandbox)

    refused = _sync(sqlite_program)
    asked_when_refused = _asked(sandbox)
    allowed = _sync(sqlite_program, "--allow-mass-removal")

    assert (refused.exit_code, asked_when_refused) == (13, [])
    assert (allowed.exit_code, allowed.report["listings"]["removed"]) == (0, 250)
    assert len(set(_asked(sandbox))) == 100
    assert allowed.report["absence"]["sampled"]


def test_sample_with_one_that_is_for_sale_removes_nothing(
    sqlite_program: Program, sandbox: SandboxServer
) -> None:
    """Even where a mass removal was allowed, an incomplete export removes nothing."""
    sandbox.state.inventory = make_shop(400)
    _sync(sqlite_program)
    sandbox.state.exported = make_shop(150)
    sandbox.state.faults = [Fault(path="/users/", body=json.dumps(_page_that_counts(150)), times=9)]

    result = _sync(sqlite_program, "--allow-mass-removal")

    assert (result.exit_code, _active(sqlite_program)) == (3, 400)
    assert "missing in the inventory: 100 listings" in _problems(result)["lacks_listings"]


def _page_that_counts(items: int) -> dict[str, object]:
    pagination = {"page": 1, "pages": 1, "per_page": 100, "items": items, "urls": {}}
    return {"pagination": pagination, "listings": []}


def test_dry_run_asks_too_and_writes_nothing(program: Program, sandbox: SandboxServer) -> None:
    """A dry run shows what the real run would do, look-ups included."""
    _sync(program)
    sandbox.state.inventory = with_changed(make_shop(20), 3, status="Sold")[:19]
    sandbox.state.exported = [x for x in make_shop(18) if x.listing_id != FIRST_ID + 3]
    before = program.digest()
    _asked(sandbox)

    dry = _sync(program, "--dry-run")
    asked = _asked(sandbox)

    assert sorted(asked) == [FIRST_ID + n for n in (3, 18, 19)]
    assert program.digest() == before
    assert dry.report["absence"]["for_sale"] == 1
    assert [(c["listing_id"], c["kind"]) for c in dry.report["changes"]] == [
        (FIRST_ID + 3, "removed")
    ]


def test_two_short_exports_in_a_row_roll_the_flag_back(
    program: Program, sandbox: SandboxServer
) -> None:
    """The first one may be chance; the second switches to the pages until somebody lifts it."""
    _sync(program)
    sandbox.state.exported = make_shop(19)

    first, second = _sync(program), _sync(program)
    flag = json.loads(program("flags", "list", "--json").stdout)

    assert "flag_rolled_back" not in _problems(first)
    assert "two exports in a row" in _problems(second)["flag_rolled_back"]
    assert "two exports in a row" in json.dumps(flag)


def test_whole_export_in_between_begins_the_count_anew(
    sqlite_program: Program, sandbox: SandboxServer
) -> None:
    """Only two incomplete exports with none between them roll the flag back."""
    for exported in (make_shop(20), make_shop(19), make_shop(20), make_shop(19)):
        sandbox.state.exported = exported
        last = _sync(sqlite_program)
    assert "lacks_listings" in _problems(last)
    assert "flag_rolled_back" not in _problems(last)


def test_unproven_listing_is_asked_for_again_by_the_same_file(
    program: Program, sandbox: SandboxServer
) -> None:
    """The very same export again is not taken for nothing new while a listing waits for proof."""
    _sync(program)
    sandbox.state.exported = make_shop(19)
    _sync(program)
    sandbox.state.inventory = make_shop(19)  # now it is deleted, and the file is the same

    assert _sync(program).counts == {"seen": 19, "unchanged": 19, "removed": 1, "active": 19}


def test_file_without_token_says_that_nobody_was_asked(
    sqlite_program: Program, sandbox: SandboxServer, tmp_path: Path
) -> None:
    """A file alone proves nothing: only the limit protects, and the report says so."""
    sqlite_program.environment["DISCOGS_TOKEN"] = ""
    for count in (20, 15):
        path = write_export(tmp_path / "shop.csv", make_shop(count))
        result = sqlite_program("sync", "--from-file", str(path), "--json")

    assert (result.exit_code, result.counts["removed"]) == (0, 5)
    assert "Discogs was not asked" in _problems(result)["not_asked"]
    assert not sandbox.state.requests


def test_file_with_a_token_asks(
    sqlite_program: Program, sandbox: SandboxServer, tmp_path: Path
) -> None:
    """With the seller's token a file's absences are asked for, and nothing else is."""
    path = write_export(tmp_path / "shop.csv", make_shop(20))
    sqlite_program("sync", "--from-file", str(path))
    first_load = list(sandbox.state.requests)
    sandbox.state.inventory = make_shop(16)
    write_export(path, make_shop(15))

    result = sqlite_program("sync", "--from-file", str(path), "--json")

    assert (first_load, sandbox.state.requests[0]) == ([], "GET /oauth/identity")
    assert len(_asked(sandbox)) == 5
    assert (result.exit_code, result.report["listings"]["removed"]) == (3, 0)
    assert result.report["absence"]["for_sale"] == 1


def test_file_without_an_answer_to_whose_token_it_is_keeps_all(
    sqlite_program: Program, sandbox: SandboxServer, tmp_path: Path
) -> None:
    """An identity that cannot be read proves nothing: the file is applied, and removes nothing."""
    path = write_export(tmp_path / "shop.csv", make_shop(20))
    sqlite_program("sync", "--from-file", str(path))
    sandbox.state.faults = [Fault(path="/oauth/identity", body="{}")]
    write_export(path, make_shop(15))

    result = sqlite_program("sync", "--from-file", str(path), "--json")

    assert (result.exit_code, result.report["listings"]["removed"]) == (3, 0)
    assert "whose token" in _problems(result)["not_yet_asked"]


def test_file_with_another_sellers_token_asks_nobody(
    sqlite_program: Program, sandbox: SandboxServer, tmp_path: Path
) -> None:
    """Somebody else's token is none at hand: the file counts alone."""
    path = write_export(tmp_path / "shop.csv", make_shop(20))
    sqlite_program("sync", "--from-file", str(path))
    sandbox.state.identity = "somebody-else"
    write_export(path, make_shop(15))

    result = sqlite_program("sync", "--from-file", str(path), "--json")

    assert (result.counts["removed"], _asked(sandbox)) == (5, [])
    assert "not_asked" in _problems(result)


def test_public_view_asks_as_a_stranger(sqlite_program: Program, sandbox: SandboxServer) -> None:
    """`--public` asks without the token; somebody's draft is refused to it, and stays."""
    sqlite_program("sync", "--public")
    sandbox.state.inventory = with_changed(make_shop(19), 2, status="Draft")

    result = sqlite_program("sync", "--public", "--json")

    assert (result.exit_code, result.report["listings"]["removed"]) == (3, 1)
    assert "401" in _problems(result)["not_proven"]


def test_an_unchanged_hour_asks_for_nothing(
    sqlite_program: Program, sandbox: SandboxServer
) -> None:
    """With nothing missing an hour costs five requests, as ever."""
    _sync(sqlite_program)
    sandbox.state.requests.clear()
    report = _sync(sqlite_program).report
    assert "absence" not in report
    assert len(sandbox.state.requests) == 5


def test_refused_run_says_nothing_of_what_it_would_have_mended(
    sqlite_program: Program, sandbox: SandboxServer
) -> None:
    """Beside "nothing was changed" no sentence says that a row is corrected, or filled in."""
    sandbox.state.inventory = make_shop(40)
    _sync(sqlite_program)
    sqlite_program.query(
        "UPDATE listings SET price_value = 1, release_year = NULL WHERE listing_id = :listing_id",
        listing_id=str(FIRST_ID + 1),
    )
    sandbox.state.inventory = make_shop(20)

    refused = sqlite_program("sync", "--source", "pages", "--json")

    assert refused.exit_code == 13
    assert "corrected" not in refused.stderr
    assert "filled in" not in refused.stderr
