"""Why no answer came, or not the whole of one, and whether asking again may help.

A name that is not found, a reset or a timeout may pass. A certificate that is not trusted, or a
proxy's address that nobody can read, will not: such a request is not tried again.
"""

import ssl
from collections.abc import Iterator

import requests
from urllib3.exceptions import DecodeError, IncompleteRead

from discosync.discogs.answers import RetryLater
from discosync.errors import BadData, DiscosyncError, NotReady, SourceUnavailable
from discosync.settings import current_environment

_CERTIFICATE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")

_UNUSABLE_ADDRESS = (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema)


def no_answer(exc: OSError) -> RetryLater | DiscosyncError:
    """Return what to raise when no answer came; `exc` is what `requests` raised."""
    causes = tuple(_causes_of(exc))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _not_trusted(cause)
    # `requests` looks for the file itself, and then raises no error of its own.
    if not isinstance(exc, requests.RequestException) or _is_bad_certificate_file(causes):
        return _bad_certificate_file(exc)
    proxy = _variable(_PROXY_VARIABLES)
    # The address of the API was checked when it was read: only the proxy's can be at fault.
    if proxy and isinstance(exc, _UNUSABLE_ADDRESS):
        return _bad_proxy(proxy)
    return RetryLater(_unreachable(exc, proxy))


def broken_transfer(exc: requests.RequestException) -> DiscosyncError:
    """Return `BadData` for a body that ended early or is not packed as it says.

    For anything else, that Discogs did not answer.
    """
    for cause in _causes_of(exc):
        if isinstance(cause, DecodeError):
            return BadData(
                f"the answer cannot be unpacked: {cause}",
                hint="nothing was changed; run again",
            )
        # urllib3 knows a body in chunks without its last one by this text only.
        if isinstance(cause, IncompleteRead) or "ended prematurely" in str(cause):
            return BadData(
                f"the answer ended early: {cause}",
                hint="nothing was changed; run again",
                code="truncated",
            )
    return _unreachable(exc, _variable(_PROXY_VARIABLES))


def _causes_of(exc: BaseException) -> Iterator[BaseException]:
    """Yield an exception and all that it stands for: `requests` and urllib3 wrap several times."""
    waiting: list[object] = [exc]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop(0)
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__]


def _unreachable(exc: requests.RequestException, proxy: str) -> SourceUnavailable:
    what = type(exc).__name__
    if isinstance(exc, requests.exceptions.ProxyError):
        return SourceUnavailable(
            f"the proxy that {proxy or 'the system'} names did not let us through to Discogs "
            f"({what})",
            hint=f"is {proxy or 'the setting'} right, and is the proxy up? nothing was changed; "
            "the next run tries again",
        )
    return SourceUnavailable(
        f"Discogs did not answer ({what})",
        hint="is the network up? nothing was changed; the next run tries again",
    )


def _not_trusted(cause: ssl.SSLCertVerificationError) -> SourceUnavailable:
    return SourceUnavailable(
        f"the certificate that came for Discogs is not trusted: {cause.verify_message.rstrip('.')}",
        hint="nothing was changed; a proxy or an antivirus program that reads along needs its "
        "certificate in a file that REQUESTS_CA_BUNDLE names; a certificate that is expired or not "
        "yet valid may also mean that this machine's clock is wrong (timedatectl)",
        code="certificate",
    )


def _is_bad_certificate_file(causes: tuple[BaseException, ...]) -> bool:
    """Whether OpenSSL could not read the certificates to trust: no PEM, or nothing in it."""
    return any(
        isinstance(cause, ssl.SSLError) and cause.library in {"X509", "PEM", "ASN1"}
        for cause in causes
    )


def _bad_certificate_file(exc: OSError) -> NotReady:
    variable = _variable(_CERTIFICATE_VARIABLES)
    if variable:
        path = current_environment()[variable]
        return NotReady(
            f"{variable} names {path}, which is no readable file of certificates",
            hint=f"correct {variable}, or leave it out: then the usual certificates are trusted",
            code="no_certificates",
        )
    return NotReady(
        f"there are no certificates to trust: {exc}",
        hint="install discosync anew: the package certifi is not whole",
        code="no_certificates",
    )


def _bad_proxy(variable: str) -> NotReady:
    # Its value may hold a password.
    return NotReady(
        f"{variable} is no address of a proxy that discosync can use",
        hint="correct it, or leave it out; example: http://proxy.example:3128",
        code="bad_proxy",
    )


def _variable(names: tuple[str, ...]) -> str:
    """Return the first of these variables that is set; an empty text if none is."""
    return next((name for name in names if current_environment().get(name)), "")
