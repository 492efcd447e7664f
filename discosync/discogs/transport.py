"""One session to the Discogs API: paced, retried within bounds, the token in one header only.

Every answer of another kind than the caller can use becomes an error of ours here; no exception
of `requests` leaves this module.
"""

import json
import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, TypeVar

import requests
from urllib3.exceptions import IncompleteRead

from discosync import __version__
from discosync.core.report import ApiUse
from discosync.discogs.pacing import LIMIT_WITH_TOKEN, LIMIT_WITHOUT_TOKEN, Pacer
from discosync.errors import (
    AuthRefused,
    BadData,
    DiscosyncError,
    RateLimited,
    SourceUnavailable,
    StorageFailed,
)

SANDBOX_HEADER = "X-Discosync-Sandbox"
"""Every answer of discosync's own sandbox carries it."""

_RETRIED_STATUSES = frozenset({408, 500, 502, 503, 504, *range(520, 531)})
_CHUNK_BYTES = 1 << 16
_log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often and how long a request is tried; waits double, with full jitter."""

    attempts: int = 5
    first_wait_seconds: float = 1.0
    first_throttled_wait_seconds: float = 5.0
    max_wait_seconds: float = 60.0
    total_seconds: float = 300.0
    connect_timeout_seconds: float = 10.0
    read_timeout_seconds: float = 60.0


@dataclass(slots=True)
class _Use:
    requests: int = 0
    retries: int = 0
    throttled_seconds: float = 0.0
    bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer with a status that the caller asked for."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def served_at(self) -> datetime:
        """The server's clock when it answered; ours when it does not say."""
        try:
            return parsedate_to_datetime(self.headers["Date"]).astimezone(UTC)
        except (KeyError, ValueError, TypeError):
            return datetime.now(UTC)

    @property
    def is_sandbox(self) -> bool:
        """Whether discosync's own sandbox answered."""
        return SANDBOX_HEADER in self.headers


class _TokenHeader(requests.auth.AuthBase):
    """Puts the token into the header; as `auth`, so that no `.netrc` replaces it."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token is not None:
            request.headers["Authorization"] = f"Discogs token={self._token}"
        return request


class _RetryLater(Exception):
    """This attempt failed in a way that may pass; `error` is what it means if it does not."""

    def __init__(
        self, error: DiscosyncError, *, wait_seconds: float | None = None, throttled: bool = False
    ) -> None:
        super().__init__(error.message)
        self.error = error
        self.wait_seconds = wait_seconds
        self.throttled = throttled


@dataclass(slots=True)
class Transport:
    """The way to Discogs. `token` None means the public view."""

    base_url: str
    token: str | None
    patience: Patience = field(default_factory=Patience)
    sleep: Callable[[float], None] = time.sleep
    _use: _Use = field(default_factory=_Use)
    _session: requests.Session = field(init=False)
    _pacer: Pacer = field(init=False)

    def __post_init__(self) -> None:
        self._session = requests.Session()
        self._session.headers["User-Agent"] = f"discosync/{__version__} (inventory mirror)"
        self._session.headers["Accept"] = "application/vnd.discogs.v2.discogs+json"
        self._session.auth = _TokenHeader(self.token)
        self._pacer = Pacer(LIMIT_WITHOUT_TOKEN if self.token is None else LIMIT_WITH_TOKEN)

    @property
    def use(self) -> ApiUse:
        """What has been asked of Discogs so far."""
        use = self._use
        return ApiUse(
            requests=use.requests,
            retries=use.retries,
            throttled_seconds=use.throttled_seconds,
            bytes=use.bytes,
        )

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def get_json(
        self,
        path: str,
        params: Mapping[str, str | int] | None = None,
        *,
        also: frozenset[int] = frozenset(),
    ) -> tuple[dict[str, Any], Answer]:
        """GET a JSON object; numbers with a fraction come as `Decimal`.

        Returns on 200 and, with an empty object, on the statuses in `also`; raises on everything
        else, and `BadData` when the body stays something else than JSON.
        """

        def attempt() -> tuple[dict[str, Any], Answer]:
            answer = self._ask("GET", path, params, also)
            return {} if answer.status in also else _parse_object(answer), answer

        return self._retry(attempt)

    def post_once(self, path: str, *, also: frozenset[int]) -> Answer:
        """POST without a second try: whoever asks must find out whether it had an effect.

        A 429 is tried again: it says that nothing was done.
        """
        return self._retry(lambda: self._ask("POST", path, None, also), only_throttled=True)

    def download(self, path: str, destination: Path) -> Answer:
        """GET a body into a file, whole or not at all: each attempt begins anew.

        Raises `BadData` when the body stays shorter than announced.
        """

        def attempt() -> Answer:
            with self._send("GET", path, None, stream=True) as response:
                self._check(response, frozenset())
                self._save(response, destination)
                return Answer(status=response.status_code, headers=response.headers)

        return self._retry(attempt)

    def _save(self, response: requests.Response, destination: Path) -> None:
        try:
            with destination.open("wb") as file:
                for chunk in response.iter_content(_CHUNK_BYTES):
                    file.write(chunk)
        except requests.RequestException as exc:
            raise _RetryLater(_broken_transfer(exc)) from exc
        except OSError as exc:
            raise StorageFailed(
                f"cannot write {destination}: {exc.strerror}",
                hint="free some space, or move the database's directory; nothing was changed",
                code="disk",
            ) from exc
        finally:
            self._use.bytes += response.raw.tell()

    def _ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, str | int] | None,
        also: frozenset[int],
    ) -> Answer:
        with self._send(method, path, params, stream=True) as response:
            try:
                body = response.content
            except requests.RequestException as exc:
                raise _RetryLater(_broken_transfer(exc)) from exc
            finally:
                self._use.bytes += response.raw.tell()
            self._check(response, also)
            return Answer(status=response.status_code, headers=response.headers, body=body)

    def _send(
        self,
        method: str,
        path: str,
        params: Mapping[str, str | int] | None,
        *,
        stream: bool,
    ) -> requests.Response:
        self._wait(self._pacer.delay_seconds(time.monotonic()), "to stay below the rate limit")
        self._pacer.sent(time.monotonic())
        self._use.requests += 1
        patience = self.patience
        try:
            response = self._session.request(
                method,
                self.base_url + path,
                params=params,
                stream=stream,
                timeout=(patience.connect_timeout_seconds, patience.read_timeout_seconds),
                allow_redirects=method == "GET",
            )
        except requests.RequestException as exc:
            raise _RetryLater(_unreachable(exc)) from exc
        headers = response.headers
        self._pacer.answered(
            _parse_number(headers.get("X-Discogs-Ratelimit")),
            _parse_number(headers.get("X-Discogs-Ratelimit-Remaining")),
        )
        _log.debug("%s %s → %s", method, path, response.status_code)
        return response

    def _check(self, response: requests.Response, also: frozenset[int]) -> None:
        """Turn a status nobody asked for into an error of ours."""
        status = response.status_code
        if status in also or status in {200, 201}:
            return
        said = _message_of(response)
        if status == 429:
            raise _RetryLater(
                RateLimited(
                    f"Discogs keeps answering 429: {said}",
                    hint="something else at this address may be using up the limit; "
                    "the next run tries again",
                ),
                wait_seconds=_retry_after_seconds(response),
                throttled=True,
            )
        if status == 401:
            raise AuthRefused(
                f"Discogs refuses the token (401: {said})",
                hint="make a new one at https://www.discogs.com/settings/developers and set "
                "DISCOGS_TOKEN",
                code="token_refused",
            )
        unavailable = SourceUnavailable(
            f"Discogs answered {status}: {said}", hint="nothing was changed; try again later"
        )
        if status == 403 and not _is_json(response):  # the firewall in front of the API
            raise _RetryLater(unavailable, wait_seconds=self.patience.first_throttled_wait_seconds)
        if status == 403:
            raise AuthRefused(
                f"Discogs does not allow this (403: {said})",
                hint="is the token that of the seller?",
                code="forbidden",
            )
        raise _RetryLater(unavailable) if status in _RETRIED_STATUSES else unavailable

    def _retry(self, attempt: Callable[[], T], *, only_throttled: bool = False) -> T:
        """Try until it works, until it cannot, or until patience ends."""
        gives_up_at = time.monotonic() + self.patience.total_seconds
        tries = 0
        while True:
            try:
                return attempt()
            except _RetryLater as fault:
                tries += 1
                wait_seconds = self._wait_before_retry(fault, tries)
                is_last = tries >= self.patience.attempts or (
                    only_throttled and not fault.throttled
                )
                if is_last or time.monotonic() + wait_seconds > gives_up_at:
                    raise fault.error from fault
                self._use.retries += 1
                self._pause(wait_seconds, fault)

    def _wait_before_retry(self, fault: _RetryLater, tries: int) -> float:
        longest = self.patience.max_wait_seconds
        if fault.wait_seconds is not None:
            return min(fault.wait_seconds, longest)
        if fault.throttled:
            return min(self.patience.first_throttled_wait_seconds * 2.0 ** (tries - 1), longest)
        ceiling = min(self.patience.first_wait_seconds * 2.0 ** (tries - 1), longest)
        return random.uniform(ceiling / 2, ceiling)  # noqa: S311 - jitter, no secret

    def _pause(self, seconds: float, fault: _RetryLater) -> None:
        if fault.throttled:
            self._wait(seconds, f"because {fault}")
        else:
            _log.info("trying again in %.1f s: %s", seconds, fault)
            self.sleep(seconds)

    def _wait(self, seconds: float, why: str) -> None:
        if seconds <= 0:
            return
        _log.info("waiting %.1f s %s", seconds, why)
        self._use.throttled_seconds += seconds
        self.sleep(seconds)


def _parse_object(answer: Answer) -> dict[str, Any]:
    try:
        parsed = json.loads(answer.body, parse_float=Decimal)
    except ValueError as exc:
        raise _RetryLater(_not_json(answer)) from exc
    if not isinstance(parsed, dict):
        raise _RetryLater(_not_json(answer))
    return parsed


def _not_json(answer: Answer) -> BadData:
    what = "a web page (HTML)" if answer.body.lstrip().startswith(b"<") else "something else"
    return BadData(
        f"Discogs answered with {what} instead of JSON",
        hint="nothing was changed; Discogs may be in maintenance, try again later",
        code="not_json",
    )


def _broken_transfer(exc: requests.RequestException) -> DiscosyncError:
    """Tell a body that ended early from a connection that broke."""
    cause: BaseException | None = exc
    while cause is not None:
        short = next((arg for arg in cause.args if isinstance(arg, IncompleteRead)), cause)
        if isinstance(short, IncompleteRead):
            return BadData(
                f"the answer ended early: {short}",
                hint="nothing was changed; run again",
                code="truncated",
            )
        cause = cause.__context__
    return _unreachable(exc)


def _unreachable(exc: requests.RequestException) -> SourceUnavailable:
    return SourceUnavailable(
        f"Discogs did not answer ({type(exc).__name__})",
        hint="is the network up? nothing was changed; the next run tries again",
    )


def _is_json(response: requests.Response) -> bool:
    return response.content.lstrip()[:1] == b"{"


def _message_of(response: requests.Response) -> str:
    """Take Discogs' own words out of an error, or say that there are none."""
    try:
        message = response.json()["message"]
    except (ValueError, KeyError, TypeError, requests.RequestException):
        return "no reason given"
    return str(message)[:200]


def _parse_number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdigit() else None


def _retry_after_seconds(response: requests.Response) -> float | None:
    """Read `Retry-After`, seconds or a date; Discogs sends it rarely, if at all."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds())
