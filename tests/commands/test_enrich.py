"""`enrich`: from listings to artists and labels, by the API and by name."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, text

from discosync.core.inventory.listing import Listing
from discosync.database.connection.engine import open_database
from discosync.database.connection.lock import ENRICH_LOCK, Holder, hold_lock
from discosync.sandbox.server import SandboxServer
from discosync.sandbox.state import Fault
from tests.support.postgres import transactions_that_wait
from tests.support.program import Program
from tests.support.releases import FIRST_RELEASE, answer, artist, asked, label, release
from tests.support.shop import FIRST_ID, SELLER, make_listing, make_shop
from tests.support.waiting import HUNG_AFTER_SECONDS, wait_until

NEWEST = FIRST_ID + 19


@pytest.fixture
def shop(program: Program, sandbox: SandboxServer) -> Program:
    """Twenty listings of twenty releases, mirrored; nothing asked of releases yet."""
    assert program("sync", "-q").exit_code == 0
    sandbox.state.requests.clear()
    return program


def _links(program: Program, listing_id: int = NEWEST) -> tuple[list[Any], list[Any]]:
    """One listing's artists and labels, in order, with the ids and names they lead to."""
    artists = program.query(
        "SELECT position, discogs_id, name, role, name_variation, join_phrase "
        "FROM listing_artists l JOIN artists a ON a.uuid = l.artist_id "
        "WHERE listing_id = :i ORDER BY position",
        i=str(listing_id),
    )
    labels = program.query(
        "SELECT position, discogs_id, name, catalog_number "
        "FROM listing_labels l JOIN labels a ON a.uuid = l.label_id "
        "WHERE listing_id = :i ORDER BY position",
        i=str(listing_id),
    )
    return [tuple(row.values()) for row in artists], [tuple(row.values()) for row in labels]


def _sync(program: Program, sandbox: SandboxServer, inventory: list[Listing]) -> None:
    sandbox.state.inventory = inventory
    assert program("sync", "-q").exit_code == 0
    sandbox.state.requests.clear()


def test_a_release_gives_all_its_artists_and_labels_in_order(
    shop: Program, sandbox: SandboxServer
) -> None:
    """Join phrases, roles, variations and catalogue numbers; a label may stand twice."""
    number = FIRST_RELEASE + 19
    answer(
        sandbox.state,
        number,
        release(
            number,
            [artist(7, "Nova (2)", anv="Nova", join="&"), artist(8, "Tide")],
            [label(3, "Orchard", "ORC 1"), label(3, "Orchard", "ORC 2"), label(4, "Quay")],
            extraartists=[artist(0, "A. Hand", role="Mastered By")],
        ),
    )
    assert shop("enrich", "--limit", "1", "--json").exit_code == 0
    assert _links(shop) == (
        [
            (1, 7, "Nova (2)", None, "Nova", "&"),
            (2, 8, "Tide", None, None, None),
            (3, None, "A. Hand", "Mastered By", None, None),
        ],
        [(1, 3, "Orchard", "ORC 1"), (2, 3, "Orchard", "ORC 2"), (3, 4, "Quay", "none")],
    )
    primary = shop.query(
        "SELECT a.discogs_id AS artist, b.discogs_id AS label FROM listings l "
        "JOIN artists a ON a.uuid = l.artist_id JOIN labels b ON b.uuid = l.label_id"
    )
    assert primary == [{"artist": 7, "label": 3}]


def test_the_listings_own_columns_stay_as_they_are(shop: Program) -> None:
    """Enrichment points to artists and labels; it rewrites nothing."""
    kept = "SELECT * FROM listings ORDER BY id"

    def rows() -> list[dict[str, Any]]:
        shown = shop.query(kept)
        return [{k: v for k, v in r.items() if k not in {"artist_id", "label_id"}} for r in shown]

    before, changes = rows(), shop.query("SELECT * FROM listing_changes ORDER BY id")
    assert shop("enrich", "--all").exit_code == 0
    assert rows() == before
    assert shop.query("SELECT * FROM listing_changes ORDER BY id") == changes
    again = shop("sync", "--json")
    assert again.counts == {"seen": 20, "unchanged": 20, "active": 20}


def test_newest_first_one_request_a_release_and_never_twice(
    shop: Program, sandbox: SandboxServer
) -> None:
    """Each run goes on where the last one stopped; when all is done nothing is asked."""
    newest = [make_listing(20, release_id=FIRST_RELEASE + 19), *make_shop(20)]
    _sync(shop, sandbox, newest)
    first = shop("enrich", "--limit", "5", "--json").report
    assert asked(sandbox.state) == [FIRST_RELEASE + n for n in (19, 18, 17, 16)]
    assert (first["enrichment"]["found"], first["enrichment"]["listings"]) == (4, 5)
    assert first["enrichment"]["coverage"]["linked"] == 5
    assert first["enrichment"]["remaining_requests"] == 16
    assert shop("enrich", "--all").exit_code == 0
    assert sorted(asked(sandbox.state)) == [FIRST_RELEASE + n for n in range(20)]
    sandbox.state.requests.clear()
    done = shop("enrich", "--all", "--json").report
    assert sandbox.state.requests == []
    assert done["enrichment"]["coverage"] == {
        "linked": 21,
        "total": 21,
        "by_name": 0,
        "waiting": 0,
    }


def test_the_batch_size_is_how_many_listings_a_run_takes(
    shop: Program, sandbox: SandboxServer
) -> None:
    """ENRICHMENT_BATCH_SIZE unless --limit or --all says otherwise."""
    assert shop("enrich", ENRICHMENT_BATCH_SIZE="3").exit_code == 0
    assert len(asked(sandbox.state)) == 3
    assert shop("enrich", ENRICHMENT_BATCH_SIZE="none").exit_code == 10


def test_another_copy_of_a_known_release_costs_no_request(
    shop: Program, sandbox: SandboxServer
) -> None:
    """A release is asked for once, whenever its listings come."""
    assert shop("enrich", "--all").exit_code == 0
    _sync(shop, sandbox, [*make_shop(20), make_listing(30, release_id=FIRST_RELEASE + 4)])
    result = shop("enrich", "--json").report
    assert sandbox.state.requests == []
    assert result["enrichment"]["listings"] == 1
    assert _links(shop, FIRST_ID + 30) == _links(shop, FIRST_ID + 4)


def test_a_release_that_discogs_does_not_have_is_asked_for_once(
    shop: Program, sandbox: SandboxServer
) -> None:
    """Its 404 is remembered, and its listing linked by the names that it shows."""
    number = FIRST_RELEASE + 19
    answer(sandbox.state, number, '{"message": "Release not found."}', status=404)
    result = shop("enrich", "--limit", "2", "--json")
    assert result.exit_code == 0
    assert result.report["enrichment"]["not_found"] == 1
    assert result.report["enrichment"]["coverage"]["by_name"] == 1
    assert _links(shop)[0] == [(1, None, "The Hollow 19", None, None, None)]
    sandbox.state.requests.clear()
    assert shop("enrich", "--all").exit_code == 0
    assert number not in asked(sandbox.state)


def test_max_requests_is_kept_to_the_letter(shop: Program, sandbox: SandboxServer) -> None:
    """Retries count; what was found is kept, the rest is told, and that is no warning."""
    sandbox.state.faults = [
        Fault(path=f"/releases/{FIRST_RELEASE + 18}", status=503, times=1, has_effect=False)
    ]
    result = shop("enrich", "--all", "--max-requests", "4", "--json")
    assert result.exit_code == 0
    assert len(asked(sandbox.state)) == result.report["api"]["requests"] == 4
    assert result.report["enrichment"]["found"] == 3
    assert result.report["enrichment"]["remaining_requests"] == 17
    assert [p["code"] for p in result.report["problems"]] == ["requests_used_up"]
    none = shop("enrich", "--all", "--max-requests", "0", "--json")
    assert none.report["api"]["requests"] == 0


def _fail(sandbox: SandboxServer, status: int, *, after: int = 0, **more: Any) -> None:
    sandbox.state.faults = [
        Fault(
            path="/releases/",
            status=status,
            times=999,
            after=after,
            has_effect=False,
            headers={"Retry-After": "0"},
            **more,
        )
    ]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The jitter makes every wait between attempts the shortest; there are as many as ever."""
    monkeypatch.setattr("random.uniform", lambda _low, _high: 0.0)


@pytest.mark.usefixtures("impatient")
def test_a_firm_429_ends_the_run_and_keeps_what_was_found(
    shop: Program, sandbox: SandboxServer
) -> None:
    """With something found it is a warning; with nothing the source is unavailable."""
    _fail(sandbox, 429, after=3)
    result = shop("enrich", "--all", "--json")
    assert result.exit_code == 3
    assert result.report["enrichment"]["found"] == 3
    assert [p["code"] for p in result.report["problems"]] == ["rate_limited"]
    runs = shop.query("SELECT exit_code, report FROM sync_runs WHERE command = 'enrich'")
    recorded = runs[0]["report"]
    recorded = json.loads(recorded) if isinstance(recorded, str) else recorded
    assert (len(runs), runs[0]["exit_code"], recorded["exit_code"]) == (1, 3, 3)
    _fail(sandbox, 429)
    assert shop("enrich", "--all").exit_code == 15
    assert len(shop.query("SELECT 1 FROM sync_runs WHERE command = 'enrich'")) == 1


@pytest.mark.usefixtures("impatient")
def test_one_release_that_cannot_be_read_does_not_stop_the_others(
    shop: Program, sandbox: SandboxServer
) -> None:
    """HTML instead of JSON is told as a warning, and asked for again the next day."""
    number = FIRST_RELEASE + 19
    answer(sandbox.state, number, "<html>one moment</html>")
    result = shop("enrich", "--all", "--json")
    assert result.exit_code == 3
    assert (result.report["enrichment"]["found"], result.report["enrichment"]["unreadable"]) == (
        19,
        1,
    )
    sandbox.state.requests.clear()
    assert shop("enrich", "--all").exit_code == 0
    assert asked(sandbox.state) == []
    shop.query("UPDATE release_lookups SET looked_up_at = :t", t="2026-01-01 00:00:00")
    sandbox.state.faults = []
    assert shop("enrich", "--limit", "1").exit_code == 0
    assert asked(sandbox.state)[0] == number


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"body": "<html>maintenance</html>"}, 200, 14),
        ({}, 503, 15),
        ({"body": '{"message": "no"}'}, 401, 12),
    ],
)
def test_when_nothing_can_be_read_it_is_discogs_trouble(
    shop: Program, sandbox: SandboxServer, more: dict[str, Any], status: int, code: int
) -> None:
    """Three in a row end the run; nothing is noted of releases that were not to blame."""
    _fail(sandbox, status, **more)
    assert shop("enrich", "--all").exit_code == code
    assert shop.query("SELECT * FROM release_lookups") == []
    assert len(set(asked(sandbox.state))) == (1 if code == 12 else 3)


@pytest.mark.parametrize(
    ("artists", "labels"),
    [
        ([], [label(3, "Orchard")]),
        ([], []),
        ([artist(194, "Various")], [label(n, f"Label {n}") for n in range(1, 51)]),
        ([artist(9, "N" * 500)], [label(9, "L" * 500, "C" * 500)]),
        ([artist(5, "Nova"), artist(6, "Nova")], [label(5, "Nova"), label(6, "Nova")]),
        ([artist(0, "Nobody")], [label(1818, "Not On Label")]),
    ],
)
def test_odd_releases_are_linked_as_they_are(
    shop: Program, sandbox: SandboxServer, artists: list[Any], labels: list[Any]
) -> None:
    """Without artists, with fifty labels, with long names, with equal names: in full, and once."""
    number = FIRST_RELEASE + 19
    answer(sandbox.state, number, release(number, artists, labels))
    assert shop("enrich", "--limit", "1").exit_code == 0
    by, on = _links(shop)
    assert [(row[1], row[2]) for row in by] == [(a["id"] or None, a["name"]) for a in artists]
    assert [(row[1], row[2]) for row in on] == [(x["id"], x["name"]) for x in labels]
    sandbox.state.requests.clear()
    assert shop("enrich", "--limit", "1").exit_code == 0
    assert number not in asked(sandbox.state)


def test_a_name_that_no_index_takes_is_left_out(shop: Program, sandbox: SandboxServer) -> None:
    """One overlong name makes its release unreadable, and keeps no other from its links."""
    number, endless = FIRST_RELEASE + 19, "é" * 1_001
    answer(sandbox.state, number, release(number, [artist(9, endless)], []), times=99)
    inventory = make_shop(20)
    inventory[18] = replace(inventory[18], artist_names=endless)
    _sync(shop, sandbox, inventory)
    result = shop("enrich", "--limit", "1", "--json")
    assert (result.exit_code, result.report["error"]["code"]) == (14, "bad_release")
    assert shop("enrich", "--names-only").exit_code == 0
    assert _links(shop)[0][0][2] == "The Hollow 19"
    assert _links(shop, FIRST_ID + 18)[0] == []
    assert len(_links(shop, FIRST_ID + 18)[1]) == 1


def test_names_only_needs_no_api_and_ids_come_later(shop: Program, sandbox: SandboxServer) -> None:
    """Entries by name keep their uuid and what somebody wrote when a run learns their id."""
    by_name = shop("enrich", "--names-only", "--json")
    assert by_name.exit_code == 0
    assert sandbox.state.requests == []
    assert by_name.report["enrichment"]["coverage"]["by_name"] == 20
    shop.query("UPDATE artists SET description = 'from the coast' WHERE name = 'The Hollow 19'")
    before = {r["name"]: r["uuid"] for r in shop.query("SELECT name, uuid FROM artists")}
    number = FIRST_RELEASE + 19
    answer(
        sandbox.state, number, release(number, [artist(77, "The Hollow 19")], [label(3, "Quay")])
    )
    result = shop("enrich", "--all", "--json").report["enrichment"]
    assert result["coverage"] == {"linked": 20, "total": 20, "by_name": 0, "waiting": 0}
    rows = shop.query("SELECT * FROM artists WHERE discogs_id = 77")
    assert [(r["uuid"], r["description"]) for r in rows] == [
        (before["The Hollow 19"], "from the coast")
    ]
    assert shop.query("SELECT 1 FROM artists WHERE discogs_id IS NULL AND NOT is_unlisted") == []


def test_two_entries_of_one_artist_become_one_with_all_links(
    shop: Program, sandbox: SandboxServer
) -> None:
    """When the id came first for one listing, the name's links and text move to it."""
    first, second = FIRST_RELEASE + 19, FIRST_RELEASE + 18
    _sync(shop, sandbox, [replace(x, artist_names="Nova") for x in make_shop(20)])
    assert shop("enrich", "--names-only").exit_code == 0
    shop.query("UPDATE artists SET profile = 'kept'")
    # Somebody else has entered the artist with its id meanwhile.
    shop.query(
        "INSERT INTO artists (uuid, discogs_id, name, created_at, updated_at) "
        "VALUES ('by-hand', 5, 'Nova', '2026-01-01 00:00:00', '2026-01-01 00:00:00')"
    )
    for number in (first, second):
        answer(sandbox.state, number, release(number, [artist(5, "Nova")], []))
    result = shop("enrich", "--limit", "2", "--json").report["enrichment"]
    assert result["merged"] == 1
    rows = shop.query("SELECT uuid, discogs_id, name, profile FROM artists")
    assert rows == [{"uuid": "by-hand", "discogs_id": 5, "name": "Nova", "profile": "kept"}]
    assert {r["artist_id"] for r in shop.query("SELECT artist_id FROM listing_artists")} == {
        "by-hand"
    }
    assert {r["artist_id"] for r in shop.query("SELECT artist_id FROM listings")} == {"by-hand"}


def test_a_refresh_follows_what_changed_on_discogs(shop: Program, sandbox: SandboxServer) -> None:
    """A new number in a name is the same artist; a credit that went is gone; text stays."""
    number = FIRST_RELEASE + 19
    answer(sandbox.state, number, release(number, [artist(7, "Nova (2)"), artist(8, "Tide")], []))
    assert shop("enrich", "--limit", "1").exit_code == 0
    shop.query("UPDATE artists SET description = 'mine' WHERE discogs_id = 7")
    shop.query("UPDATE release_lookups SET looked_up_at = :t", t="2026-01-01 00:00:00")
    sandbox.state.faults = []
    answer(sandbox.state, number, release(number, [artist(7, "Nova (3)")], []))
    assert shop("enrich", "--all", "--refresh", "30d", USE_CACHE="no").exit_code == 0
    assert _links(shop)[0] == [(1, 7, "Nova (3)", None, None, None)]
    rows = shop.query("SELECT description FROM artists WHERE discogs_id = 7")
    assert rows == [{"description": "mine"}]


def test_a_refresh_of_what_is_as_before_writes_no_link(
    shop: Program, sandbox: SandboxServer
) -> None:
    """The same credits in other batches, a name with and without an entry among them."""
    for n in range(20):
        number = FIRST_RELEASE + n
        credits_ = [artist(n % 3, "Nova" if n % 3 < 2 else "Tide"), artist(9, "Quay")]
        answer(sandbox.state, number, release(number, credits_, [label(3, "Orchard")]))
    assert shop("enrich", "--all", ENRICHMENT_BATCH_SIZE="6").exit_code == 0
    tables = ("artists", "labels", "listing_artists", "listing_labels")
    before = [shop.query(f"SELECT * FROM {t} ORDER BY 1") for t in tables]
    shop.query("UPDATE release_lookups SET looked_up_at = :t", t="2026-01-01 00:00:00")
    again = shop("enrich", "--all", "--json", ENRICHMENT_BATCH_SIZE="7").report["enrichment"]
    assert (again["found"], again["listings"]) == (20, 0)
    assert [shop.query(f"SELECT * FROM {t} ORDER BY 1") for t in tables] == before


def test_what_is_old_is_refreshed_by_itself_after_what_is_new(
    shop: Program, sandbox: SandboxServer
) -> None:
    """Listings without links come first; then what was looked up more than 180 days ago."""
    assert shop("enrich", "--limit", "2").exit_code == 0
    shop.query("UPDATE release_lookups SET looked_up_at = :t", t="2026-01-01 00:00:00")
    sandbox.state.requests.clear()
    assert shop("enrich", "--limit", "19", USE_CACHE="no").exit_code == 0
    assert asked(sandbox.state) == [FIRST_RELEASE + n for n in (*range(17, -1, -1), 18)]


def test_a_listing_of_another_release_loses_its_old_links(
    shop: Program, sandbox: SandboxServer
) -> None:
    """Links are of a release: when a listing's changes they go, until the new one is known."""
    assert shop("enrich", "--all").exit_code == 0
    moved = [replace(x, release_id=900_000) if i == 19 else x for i, x in enumerate(make_shop(20))]
    _sync(shop, sandbox, moved)
    assert _links(shop) == ([], [])
    answer(sandbox.state, 900_000, release(900_000, [artist(77, "Nova")], []))
    assert shop("enrich", "--json").report["enrichment"]["wanted"] == 1
    assert _links(shop)[0][0][:3] == (1, 77, "Nova")


def test_a_dry_run_says_how_much_and_writes_nothing(shop: Program, sandbox: SandboxServer) -> None:
    """Calls, time and coverage, without a request or a row."""
    before = shop.digest()
    result = shop("enrich", "--all", "--dry-run", "--json").report
    assert sandbox.state.requests == []
    assert result["enrichment"]["wanted"] == result["enrichment"]["remaining_requests"] == 20
    assert result["enrichment"]["remaining_seconds"] > 0
    assert "20 requests" in shop("enrich", "--all", "--dry-run").stdout
    by_name = shop("enrich", "--names-only", "--dry-run", "--json").report["enrichment"]
    assert (by_name["listings"], by_name["remaining_requests"]) == (20, 0)
    assert shop.digest() == before


def test_a_flag_switches_it_off(shop: Program, sandbox: SandboxServer) -> None:
    """Rolled back, enrichment does nothing and says so; that is no failure."""
    assert shop("rollback-flag", "enable-artist-enrichment", "--reason", "trial").exit_code == 0
    result = shop("enrich", "--all", "--json")
    assert result.exit_code == 0
    assert [p["code"] for p in result.report["problems"]] == ["switched_off"]
    assert sandbox.state.requests == []
    assert shop("enrich", "-q").stderr == ""


def test_two_enrichers_share_one_limit_so_only_one_works(shop: Program) -> None:
    """The second one is refused, and told whose turn it is; a sync is not."""
    database = open_database(shop.database_url, read_only=False, application="tests")
    holder = Holder(command="discosync enrich", run_id="", started_at=datetime.now(UTC))
    with hold_lock(database, ENRICH_LOCK, holder):
        refused = shop("enrich", "--all")
        assert refused.exit_code == 11
        assert "another run is at work in this database" in refused.stderr
        assert shop("sync", "-q").exit_code == 0


def test_a_sync_in_the_middle_of_an_enrich(shop: Program, sandbox: SandboxServer) -> None:
    """Both do their work: the lock of the one is not the lock of the other."""
    changed = [replace(x, comments="sold soon") for x in make_shop(20)[:5]] + make_shop(20)[5:]
    codes: list[int] = []

    def sync_now() -> None:
        sandbox.state.inventory = changed
        done = shop.start("sync", "-q")
        # The sandbox answers one at a time, and this is one of its answers.
        sandbox.state.lock.release()
        try:
            done.communicate(timeout=HUNG_AFTER_SECONDS)
        finally:
            sandbox.state.lock.acquire()
        codes.append(done.returncode)

    sandbox.state.after[f"/releases/{FIRST_RELEASE + 10}"] = sync_now
    result = shop("enrich", "--all", "--json", ENRICHMENT_BATCH_SIZE="4")
    assert (result.exit_code, codes) == (0, [0])
    assert result.report["enrichment"]["coverage"]["linked"] == 20
    rows = shop.query("SELECT count(*) AS n FROM listings WHERE comments = 'sold soon'")
    assert rows == [{"n": 5}]


def test_links_of_every_seller_with_that_release(shop: Program, sandbox: SandboxServer) -> None:
    """A release is a fact of the database's, not of one seller's."""
    sandbox.state.seller = sandbox.state.identity = "hollow-records"
    sandbox.state.inventory = make_shop(3)
    assert shop("sync", "--seller", "hollow-records").exit_code == 0
    assert shop("enrich", "--all", "--seller", SELLER).exit_code == 0
    sandbox.state.requests.clear()
    other = shop("enrich", "--all", "--seller", "hollow-records", "--json").report
    assert sandbox.state.requests == []
    assert other["enrichment"]["coverage"]["linked"] == 3


def test_purged_listings_take_their_links_along_and_bring_them_back(
    shop: Program, sandbox: SandboxServer
) -> None:
    """The archive holds the links; what they lead to stays."""
    assert shop("enrich", "--all").exit_code == 0
    links = _links(shop)
    _sync(shop, sandbox, make_shop(19))
    shop.query("UPDATE listings SET removed_at = :t WHERE NOT is_active", t="2025-01-01 00:00:00")
    purged = shop("purge-inactive", "--apply", "--json")
    assert (purged.exit_code, _links(shop)) == (0, ([], []))
    path = purged.report["archive"]["file"]
    assert shop("restore", "--from-archive", path).exit_code == 0
    assert _links(shop) == links


@pytest.mark.parametrize(
    "words",
    [
        ("--limit", "3", "--all"),
        ("--limit", "0"),
        ("--names-only", "--from-dump", "x.xml"),
        ("--refresh", "soon"),
        ("--max-requests", "-1"),
        ("--max-requests", "5", "--names-only"),
    ],
)
def test_what_makes_no_sense_is_a_usage_fault(shop: Program, words: tuple[str, ...]) -> None:
    """Options that contradict each other end with 2."""
    assert shop("enrich", *words).exit_code == 2


def test_an_empty_database_has_nothing_to_enrich(program: Program) -> None:
    """There is nothing before the first sync, and that is said."""
    assert program("enrich").exit_code == 10


def test_without_a_token_it_is_slower_and_works(shop: Program) -> None:
    """Releases are public: 25 requests a minute will do."""
    result = shop("enrich", "--limit", "2", "--json", DISCOGS_TOKEN="")
    assert result.exit_code == 0
    assert result.report["enrichment"]["found"] == 2
    with_token = shop("enrich", "--all", "--dry-run", "--json").report["enrichment"]
    without = shop("enrich", "--all", "--dry-run", "--json", DISCOGS_TOKEN="").report["enrichment"]
    assert without["remaining_seconds"] > 2 * with_token["remaining_seconds"]


def test_status_shows_what_is_linked(shop: Program) -> None:
    """Linked of all, and how many of them by name only."""
    assert shop("enrich", "--limit", "5").exit_code == 0
    assert shop("enrich", "--names-only", "--limit", "5").exit_code == 0
    shown = json.loads(shop("status", "--json").stdout)["enrichment"]
    assert shown == {"linked": 10, "total": 20, "by_name": 5, "waiting": 15}
    assert "10 of 20 listings (50.0%), 5 of them by name only" in shop("status").stdout


@pytest.fixture
def other(postgres_program: Program) -> Iterator[Connection]:
    """Another program in the same Postgres, with a transaction of its own; twenty listings."""
    assert postgres_program("sync", "-q").exit_code == 0
    address = postgres_program.database_url.replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(address)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_an_enrich_gives_way_to_whoever_holds_a_row(
    postgres_program: Program, sandbox: SandboxServer, other: Connection
) -> None:
    """Merging two entries touches other listings' links; a sync that has their row goes first.

    Without giving way the enrich would hold the links while it waits for the row, and the other
    one would be ended in the deadlock.
    """
    shop, number = postgres_program, FIRST_RELEASE + 19
    _sync(shop, sandbox, [replace(x, artist_names="Nova") for x in make_shop(20)])
    assert shop("enrich", "--names-only").exit_code == 0
    shop.query(
        "INSERT INTO artists (uuid, discogs_id, name, created_at, updated_at) "
        "VALUES ('by-hand', 5, 'Nova', '2026-01-01 00:00:00', '2026-01-01 00:00:00')"
    )
    answer(sandbox.state, number, release(number, [artist(5, "Nova")], []))
    held = {"i": str(NEWEST - 1)}
    other.execute(text("UPDATE listings SET comments = '' WHERE listing_id = :i"), held)
    process = shop.start("enrich", "--limit", "1", "--json")
    _wait_until_it_waits(other, again=True)  # it has given way once
    other.execute(text("DELETE FROM listing_artists WHERE listing_id = :i"), held)
    other.commit()
    stdout, _ = process.communicate(timeout=HUNG_AFTER_SECONDS)
    assert process.returncode == 0
    assert json.loads(stdout)["enrichment"]["merged"] == 1
    assert [link[1] for link in _links(shop)[0]] == [5]


def test_a_signal_in_the_middle_of_a_commit_loses_nothing(
    postgres_program: Program, other: Connection
) -> None:
    """The part is taken back, and committed once more before the run ends."""
    held = {"i": str(NEWEST)}
    other.execute(text("UPDATE listings SET comments = '' WHERE listing_id = :i"), held)
    process = postgres_program.start("enrich", "--all", "--json")
    _wait_until_it_waits(other)
    process.terminate()
    _wait_until_it_waits(other, again=True)
    other.commit()
    stdout, _ = process.communicate(timeout=HUNG_AFTER_SECONDS)
    report = json.loads(stdout)
    assert process.returncode == report["exit_code"] == 3
    assert report["enrichment"]["coverage"]["linked"] == 20


def _wait_until_it_waits(other: Connection, *, again: bool = False) -> None:
    """Wait until the enrich waits for a row; `again`: in a transaction that begins later."""
    seen: set[str] = set()

    def has_come() -> bool:
        seen.update(transactions_that_wait(other, "enrich"))
        return len(seen) > again

    wait_until(has_come)


def test_a_restored_release_loses_the_links_of_the_other(
    shop: Program, sandbox: SandboxServer
) -> None:
    """`restore --run` changes a listing's release as a sync does, and its links go, too."""
    moved = [replace(x, release_id=900_000) if i == 19 else x for i, x in enumerate(make_shop(20))]
    _sync(shop, sandbox, moved)
    run_id = shop.query("SELECT run_id FROM sync_runs ORDER BY id DESC LIMIT 1")[0]["run_id"]
    answer(sandbox.state, 900_000, release(900_000, [artist(77, "Nova")], []))
    assert shop("enrich", "--all").exit_code == 0
    assert _links(shop)[0][0][1:3] == (77, "Nova")
    assert shop("restore", "--run", str(run_id)).exit_code == 0
    assert _links(shop) == ([], [])
    assert shop("enrich", "--all").exit_code == 0
    assert _links(shop)[0][0][2] == "The Hollow 19"


def test_made_up_artists_stay_out_of_a_real_shops_database(
    shop: Program, sandbox: SandboxServer
) -> None:
    """Answers of the sandbox are refused where a real seller is, and nothing is written."""
    sandbox.state.is_marked = True
    refused = shop("enrich", "--all")
    assert refused.exit_code == 10
    assert "must not mix" in refused.stderr
    assert shop.query("SELECT 1 FROM artists") == []


def test_a_release_that_is_gone_on_discogs_keeps_its_links(
    shop: Program, sandbox: SandboxServer
) -> None:
    """A refresh that finds it no more takes nothing away, and copies go on taking its links."""
    assert shop("enrich", "--all").exit_code == 0
    links = _links(shop)
    shop.query("UPDATE release_lookups SET looked_up_at = :t", t="2026-01-01 00:00:00")
    answer(sandbox.state, FIRST_RELEASE + 19, '{"message": "Release not found."}', status=404)
    again = shop("enrich", "--all", "--json", USE_CACHE="no").report["enrichment"]
    assert (again["not_found"], again["coverage"]["by_name"]) == (1, 0)
    assert _links(shop) == links
    copy = make_listing(40, release_id=FIRST_RELEASE + 19)
    _sync(shop, sandbox, [*make_shop(20), copy])
    assert shop("enrich", "--all").exit_code == 0
    assert _links(shop, FIRST_ID + 40) == links


def test_names_that_changed_are_linked_anew(shop: Program, sandbox: SandboxServer) -> None:
    """What is linked by name follows the name, and the old name goes when nobody has it."""
    assert shop("enrich", "--names-only").exit_code == 0
    renamed = [
        replace(x, artist_names="Nova") if i == 19 else x for i, x in enumerate(make_shop(20))
    ]
    _sync(shop, sandbox, renamed)
    result = shop("enrich", "--names-only", "--json").report["enrichment"]
    assert result["listings"] == 1
    assert _links(shop)[0] == [(1, None, "Nova", None, None, None)]
    assert shop.query("SELECT 1 FROM artists WHERE name = 'The Hollow 19'") == []


@pytest.mark.parametrize("backend", ["sqlite", "redis"])
def test_a_refresh_within_the_ttl_asks_the_cache(
    request: pytest.FixtureRequest,
    sqlite_program: Program,
    sandbox: SandboxServer,
    backend: str,
) -> None:
    """At least nine of ten answers come from there, in a file and in a real Redis."""
    if backend == "redis":
        sqlite_program.environment["REDIS_URL"] = request.getfixturevalue("redis_server").url
    assert sqlite_program("sync", "-q").exit_code == 0
    first = sqlite_program("enrich", "--all", "--json").report
    assert (first["cache"]["backend"], first["cache"]["hits"]) == (backend, 0)
    sqlite_program.query("UPDATE release_lookups SET looked_up_at = '2026-01-01 00:00:00'")
    sandbox.state.requests.clear()
    again = sqlite_program("enrich", "--all", "--json").report
    assert again["enrichment"]["found"] == 20
    assert again["cache"]["hit_rate"] >= 0.9
    assert (again["api"]["requests"], asked(sandbox.state)) == (0, [])
    assert "100% of the answers of the last enrichment" in sqlite_program("status").stdout


def test_a_flag_switches_the_cache_off(sqlite_program: Program, sandbox: SandboxServer) -> None:
    """USE_CACHE off: every release is asked for."""
    assert sqlite_program("sync", "-q").exit_code == 0
    for _ in range(2):
        sqlite_program.query("DELETE FROM release_lookups")
        shown = sqlite_program("enrich", "--all", "--json", USE_CACHE="off").report
        assert shown["cache"] == {"backend": None, "hits": 0, "misses": 0, "hit_rate": None}
    assert len(asked(sandbox.state)) == 40
