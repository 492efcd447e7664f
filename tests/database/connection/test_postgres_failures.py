"""What a server of Postgres or its pooler says becomes an error that names what to type."""

import pytest

from discosync.database.connection.address import parse_address
from discosync.database.connection.engine import open_database
from discosync.database.connection.postgres_failures import postgres_failure, says_what_to_type
from discosync.errors import DiscosyncError, NotReady, StorageFailed
from tests.support.postgres import Postgres

ADDRESS = "postgresql://shop:Horse-9@db.example/mirror"


def _told(said: str, sqlstate: str | None = None) -> DiscosyncError | None:
    cause = Exception(said)
    cause.sqlstate = sqlstate  # type: ignore[attr-defined]
    return postgres_failure(parse_address(ADDRESS), cause)


@pytest.mark.parametrize(
    ("said", "sqlstate", "status", "words"),
    [
        ("cannot execute INSERT in a read-only transaction", "25006", 16, "primary server"),
        ('character … has no equivalent in encoding "LATIN1"', "22P05", 10, "ENCODING 'UTF8'"),
        ("canceling statement due to lock timeout", "55P03", 16, "run again"),
        ("query_wait_timeout", None, 10, "default_pool_size"),
        (
            "transaction blocks not allowed in statement pooling mode",
            "08P01",
            10,
            "pool_mode=transaction",
        ),
        (
            'connection failed: … FATAL: database "mirror" does not exist',
            None,
            16,
            "CREATE DATABASE mirror OWNER shop ENCODING 'UTF8' TEMPLATE template0",
        ),
        ("FATAL: unsupported startup parameter: options", None, 10, "postgresql://"),
        ('connection is bad: invalid gssencmode value: "x"', None, 10, "postgresql://"),
    ],
)
def test_what_is_known_says_what_to_type(
    said: str, sqlstate: str | None, status: int, words: str
) -> None:
    """Each has the status of who must act, and a hint that can be typed."""
    told = _told(said, sqlstate)

    assert told is not None
    assert told.exit_status == status
    assert words in told.hint


def test_what_is_unknown_is_left_to_the_common_words() -> None:
    """An error without anything better to say stays as the driver said it."""
    assert _told("relation x does not exist", "42P01") is None


def test_password_is_taken_out_of_what_a_library_says() -> None:
    """Whoever repeats it, however it is written: nobody reads it."""
    address = parse_address("postgresql://shop:a%23b%2Fc@h/d?sslpassword=other-9")
    said = address.without_passwords("a#b/c, a%23b/c, a%23b%2Fc and other-9")
    assert said == "***, ***, *** and ***"
    told = _told("permission denied for table Horse-9", "42501")
    assert told is not None
    assert "Horse-9" not in told.message


def test_database_that_is_not_there_says_how_to_make_it(postgres: Postgres) -> None:
    """The statement works as it stands."""
    database = open_database(postgres.url("not_there"), read_only=False, application="tests")
    with pytest.raises(StorageFailed, match="no database 'not_there'") as told, database.session():
        pass
    statement = told.value.hint.split("`")[1]
    postgres.execute(statement)
    with database.session():
        pass
    postgres.execute("DROP DATABASE not_there")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("pgbouncer=true&connection_limit=1", "'pgbouncer'; leave it out"),
        ("schema=public", "options=-csearch_path%3D"),
        ("supa=base-pooler.x", "'supa'"),
        ("sslmode=no-verify", "write require"),
        ("Corr3ct%20horse=1", "no parameter; leave it out"),
    ],
)
def test_parameters_of_other_clients_are_a_bad_setting(query: str, words: str) -> None:
    """The variable is named, and what to write instead; nothing that may be a password."""
    with pytest.raises(NotReady, match="DATABASE_URL") as told:
        open_database(f"{ADDRESS}?{query}", read_only=True, application="tests")

    assert words in told.value.message
    assert told.value.code == "bad_setting"
    assert "orse" not in told.value.message


def test_errors_that_mend_themselves_stay_as_they_are() -> None:
    """A migration or a backup does not hide them behind its own status."""
    for sqlstate in ("42501", "55P03", "25006"):
        told = _told("x", sqlstate)
        assert told is not None
        assert says_what_to_type(told), sqlstate
    assert not says_what_to_type(StorageFailed("x", code="database"))
