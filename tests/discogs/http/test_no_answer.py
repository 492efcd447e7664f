"""Why no answer came, and whether asking again may help."""

import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from discosync.discogs.http.transport import Transport
from discosync.errors import NotReady, SourceUnavailable
from tests.support.program import TOKEN, Program
from tests.support.shop import SELLER

NOWHERE = "https://127.0.0.1:1"
PASSWORD = "open-sesame"  # noqa: S105 - the tests look for it where it must not be


@pytest.fixture
def untrusted(tmp_path: Path) -> Iterator[str]:
    """A server with a certificate that nobody has signed."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    words = "openssl req -x509 -newkey rsa:2048 -nodes -days 9 -subj /CN=localhost -addext"
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(
        [*words.split(), "subjectAltName=IP:127.0.0.1", *files], check=True, capture_output=True
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"https://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def _ask(url: str) -> Transport:
    transport = Transport(base_url=url, token=TOKEN, sleep=lambda _seconds: None)
    try:
        transport.get_json("/oauth/identity")
    finally:
        transport.close()
    return transport


def test_certificate_that_is_not_trusted_is_no_reason_to_try_again(
    untrusted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenSSL's own words, and the two things that may be to mend."""
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    waits: list[float] = []
    with pytest.raises(SourceUnavailable) as caught:
        Transport(base_url=untrusted, token=TOKEN, sleep=waits.append).get_json("/oauth/identity")
    assert waits == []
    assert caught.value.code == "certificate"
    assert "self-signed certificate" in caught.value.message
    assert "REQUESTS_CA_BUNDLE" in caught.value.hint
    assert "clock" in caught.value.hint


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
@pytest.mark.parametrize("content", [None, "no certificate at all"])
def test_file_of_certificates_that_is_gone_or_broken_is_named(
    untrusted: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    content: str | None,
) -> None:
    """It is a setting of this machine, and no bug."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.setenv(variable, str(path))
    with pytest.raises(NotReady) as caught:
        _ask(untrusted)
    assert caught.value.code == "no_certificates"
    assert f"{variable} names {path}" in caught.value.message


@pytest.mark.parametrize(
    "address", ["ftp://127.0.0.1:1", "://x", "socks5://127.0.0.1:1", "http://[::1", "joe:{}@x:1"]
)
def test_proxy_that_nobody_can_use_is_a_setting_to_correct(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """Its variable is named, and its value is not: it may hold a password."""
    monkeypatch.setenv("HTTPS_PROXY", address.format(PASSWORD))
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(NotReady) as caught:
        _ask(NOWHERE)
    assert caught.value.code == "bad_proxy"
    assert "HTTPS_PROXY" in caught.value.message
    assert PASSWORD not in caught.value.message + caught.value.hint


def test_proxy_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be up again later."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://joe:{PASSWORD}@127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(SourceUnavailable, match="the proxy that HTTPS_PROXY names") as caught:
        _ask(NOWHERE)
    assert PASSWORD not in caught.value.message + caught.value.hint


def test_missing_certificates_end_a_run_as_not_ready(
    sqlite_program: Program, waits: list[float]
) -> None:
    """Whoever reads cron's mail sees the variable, and no traceback."""
    result = sqlite_program(
        "sync", "--seller", SELLER, DISCOGS_API_URL=NOWHERE, REQUESTS_CA_BUNDLE="/nowhere/ca.pem"
    )
    assert result.exit_code == 10
    assert "REQUESTS_CA_BUNDLE names /nowhere/ca.pem" in result.stderr
    assert waits == []
