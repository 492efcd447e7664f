"""An address is read as SQLAlchemy reads it, and shown without its password."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from discosync.database.connection.address import parse_address
from discosync.errors import NotReady

parts = st.text(st.sampled_from("ab%/:@?#[]. +é"), max_size=6)


@given(parts, parts, st.sampled_from(["", ":5432", ":"]), parts, st.sampled_from(["", "?a=b%20c"]))
def test_addresses_are_read_as_sqlalchemy_reads_them(
    user: str, password: str, port: str, name: str, query: str
) -> None:
    """Whatever a user name, a password or a database's name holds: both see the same parts."""
    address = f"postgresql://{user}:{password}@host{port}/{name}{query}"
    try:
        expected = make_url(address)
    except Exception:  # noqa: BLE001 - whatever it may be
        with pytest.raises(NotReady):
            parse_address(address)
        return
    try:
        own = parse_address(address)
    except NotReady:
        # SQLAlchemy reads as far as it can, and leaves out what stands behind a bracket. Behind a
        # second @ it takes for a host's name what may be half a password.
        assert {"[", "]"}.intersection(address) or address.count("@") > 1
        return
    assert (own.user, own.password, own.host, own.port, own.database, dict(own.query)) == (
        expected.username,
        expected.password,
        expected.host,
        expected.port,
        expected.database,
        dict(expected.query),
    )
    assert own.shown == expected.set(query={}).render_as_string(hide_password=True)


@pytest.mark.parametrize(
    "address",
    [
        "sqlite:////var/lib/shop/discosync.db",
        "sqlite:///relative dir/shop.db",
        "postgres://shop",
        "postgresql+psycopg://me@[::1]:5433/shop?sslmode=require&options=-c%20a%3Db",
        "postgresql:///shop?host=/var/run/postgresql",
    ],
)
def test_usual_addresses_are_read_as_sqlalchemy_reads_them(address: str) -> None:
    """Files, sockets, an address of version 6, and the name that hosting services use."""
    own = parse_address(address)
    expected = make_url(address.replace("postgres://", "postgresql://"))
    assert (own.user, own.password, own.host, own.port, own.database, dict(own.query)) == (
        expected.username,
        expected.password,
        expected.host,
        expected.port,
        expected.database,
        dict(expected.query),
    )
    assert own.shown == expected.set(query={}).render_as_string(hide_password=True)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me:a%20b@host:5433/shop",
        "postgresql://me@/shop?host=/var/run/postgresql",
        "postgresql:///shop?host=one:5432&host=two:5433&target_session_attrs=read-write",
        "postgresql:///shop?host=one,two&port=5432,5433",
        "postgresql:///shop?host=one:5432",
        "postgresql://host/a%20b?sslmode=require",
    ],
)
def test_connecting_means_the_same_either_way(address: str) -> None:
    """Both ways hand the driver the same parameters, several hosts included."""
    url = make_url(address).set(drivername="postgresql+psycopg")
    _, expected = url.get_dialect()().create_connect_args(url)
    own = parse_address(address).postgres_parameters
    assert {k: str(v) for k, v in own.items()} == {
        k: str(v) for k, v in expected.items() if k not in {"context", "client_encoding"}
    }


def test_password_is_nowhere_in_what_is_shown() -> None:
    """Neither the name of an address nor its form for debugging tells the password."""
    own = parse_address("postgresql://me:secret@host/shop?password=secret")
    assert "secret" not in f"{own!r} {own.shown}"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "shop.db",
        "mysql://host/shop",
        "sqlite://",
        "sqlite:///:memory:",
        "postgresql://h:x/shop",
        "postgresql://[::1]5433/shop",
    ],
)
def test_what_cannot_be_an_address_is_refused(address: str) -> None:
    """Another kind of database, one in memory, or no address at all: the run does not begin."""
    with pytest.raises(NotReady) as told:
        parse_address(address)
    assert told.value.code == "bad_setting"


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://shop:Corr@ct-Horse-9@127.0.0.1:5432/u",
        "postgresql://shop:Corr@ct/Horse-9@host/u",
        "postgresql://shop:Corr@ct?Horse-9@host/u",
        "postgres://shop:Corr@ct:Horse-9@host/u",
        "postgresql+psycopg://shop@host:Corr@ct-Horse-9@host",
    ],
)
def test_password_with_an_at_sign_is_refused_and_not_repeated(address: str) -> None:
    """A part of it would be the host's name otherwise: shown, reported, and looked up."""
    with pytest.raises(NotReady, match="%40") as told:
        parse_address(address)

    assert "Horse" not in f"{told.value.message}{told.value.hint}"
    assert told.value.code == "bad_setting"


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me@domain:word@host/shop",
        "postgresql://shop:Corr%40ct-Horse@host/shop",
        "postgresql://host/shop?user=me@domain",
        "postgresql://me:word@host/shop?application_name=till@shop&sslmode=require",
    ],
)
def test_at_signs_that_have_their_place_are_taken(address: str) -> None:
    """In a user's name, in a parameter's value, and where it is written as %40."""
    assert parse_address(address).host == "host"
