"""Secrets are hidden in every form in which somebody may repeat them."""

import base64
import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discosync.render import scrubbing
from discosync.render.scrubbing import HIDDEN, hide, hide_json, is_token, note_address, note_secret


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is noted here would be hidden in every later test of this process."""
    monkeypatch.setattr(scrubbing, "_noted", set())
    scrubbing._pattern.cache_clear()  # noqa: SLF001 - as above
    yield
    scrubbing._pattern.cache_clear()  # noqa: SLF001 - as above


SECRET = 'q7%"Z/+plover-42'  # noqa: S105 - made up


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote(SECRET),
        json.dumps(SECRET)[1:-1],
        repr(SECRET)[1:-1],
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
        "".join(f"%{byte:02X}" for byte in SECRET.encode()),
    ],
)
def test_secret_is_hidden_in_every_form(form: str) -> None:
    """A proxy may echo it encoded; the words around it stay."""
    note_secret(SECRET)
    assert hide(f"before {form} after").rstrip("=").startswith(f"before {HIDDEN}")
    assert form not in hide(f"before {form} after")


def test_password_of_an_address_is_hidden_alone_and_within() -> None:
    """A library may repeat the address, the password, or the header that is made of both."""
    note_address("http://joe:gr%C3%BCn-plover@proxy.example:3128")
    basic = base64.b64encode("joe:grün-plover".encode()).decode()
    for form in ("gr%C3%BCn-plover", "grün-plover", basic):
        assert form not in hide(f"407 for {form}")
    assert (
        hide("at http://joe:gr%C3%BCn-plover@proxy.example")
        == f"at http://joe:{HIDDEN}@proxy.example"
    )


def test_any_address_loses_its_password() -> None:
    """Also one that nobody noted, and one whose password is any word."""
    assert hide("postgresql://shop:shop@db/x failed") == f"postgresql://shop:{HIDDEN}@db/x failed"
    assert hide("redis://:abc@host/0") == f"redis://:{HIDDEN}@host/0"


def test_word_of_any_sentence_stays() -> None:
    """A password that is short, or the user's own name, is hidden in addresses only."""
    note_address("postgresql://velvetcrates:velvetcrates@db/x")
    note_secret("shop")
    assert hide("velvetcrates has a shop") == "velvetcrates has a shop"


def test_what_looks_like_a_token_is_hidden() -> None:
    """It may stand in the wrong variable, and in no other."""
    token = "aBcDeFgHiJ" * 4
    assert is_token(token)
    assert hide(f"{token!r} is neither on nor off") == f"'{HIDDEN}' is neither on nor off"
    assert not is_token("velvet-crates")
    digest = "0f" * 32
    assert hide(digest) == digest


@given(st.text(min_size=8).filter(lambda text: HIDDEN not in text), st.text())
def test_noted_secret_never_comes_out(secret: str, around: str) -> None:
    """Whatever it is made of, and whatever stands around it."""
    note_secret(secret)
    assert secret not in hide(f"{around} {secret} {around}").replace(HIDDEN, "\0")


@pytest.mark.parametrize("separators", [(", ", ": "), (",", ":"), (",\n", " : ")])
def test_keys_of_json_stay(separators: tuple[str, str]) -> None:
    """A password may be the name of a key: values lose it, and programs still find the key."""
    note_secret("listings")
    said = {"listings": {"text": "listings", "quoted": 'listings": no key', "n": ["my listings"]}}
    shown = json.loads(hide_json(json.dumps(said, separators=separators)))
    assert shown == {"listings": {"text": "***", "quoted": '***": no key', "n": ["my ***"]}}
