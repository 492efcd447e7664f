"""One session to the Discogs API: it paces requests, retries them, and adds the token.

The token is sent in the header `Authorization` only: Discogs repeats the query string in the links
of its answers, so a token there would end up in whatever keeps them (observed). Every failure
becomes one of our errors here; no exception of `requests` leaves this module.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import requests

from discosync.core.reporting.report_parts import ApiUse
from discosync.discogs.answers import (
    Answer,
    RetryLater,
    check_status,
    parse_date,
    parse_number,
    parse_object,
)
from discosync.discogs.cache.answer_cache import AnswerCache, is_kept
from discosync.discogs.http.no_answer import broken_transfer, no_answer
from discosync.discogs.http.pacing import (
    LIMIT_WITH_TOKEN,
    LIMIT_WITHOUT_TOKEN,
    WINDOW_SECONDS,
    Pacer,
)
from discosync.discogs.http.patience import Deadline, Patience
from discosync.discogs.http.session import make_session
from discosync.discogs.http.shared_limit import SharedLimit
from discosync.discogs.http.token_header import without_token
from discosync.errors import RequestsUsedUp, StorageFailed
from discosync.files.bounded import MAX_ANSWER_BYTES, MAX_INVENTORY_BYTES, bounded

_CHUNK_BYTES = 1 << 16
_log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(slots=True)
class _Use:
    requests: int = 0
    retries: int = 0
    throttled_seconds: float = 0.0
    bytes: int = 0


@dataclass(slots=True)
class Transport:
    """A session to the API at `base_url`; without a `token` it sees what everybody sees.

    `cache` keeps answers about the catalogue; `shared_limit` counts the requests of all processes.
    The transport closes neither. `max_requests` is how many requests it may send, None for any
    number; `sleep` and `window_seconds` are others in tests. `clock_offset` is how far Discogs'
    clock is ahead of this machine's, None as long as no answer has told.
    """

    base_url: str
    token: str | None
    patience: Patience = field(default_factory=Patience)
    sleep: Callable[[float], None] = time.sleep
    max_requests: int | None = None
    cache: AnswerCache | None = None
    shared_limit: SharedLimit | None = None
    window_seconds: float = WINDOW_SECONDS
    clock_offset: timedelta | None = field(default=None, init=False)
    _deadline: Deadline = field(default_factory=Deadline)
    _use: _Use = field(default_factory=_Use)
    _session: requests.Session = field(init=False)
    _pacer: Pacer = field(init=False)

    def __post_init__(self) -> None:
        self._session = make_session(self.base_url, self.token)
        limit = LIMIT_WITHOUT_TOKEN if self.token is None else LIMIT_WITH_TOKEN
        self._pacer = Pacer(limit, window_seconds=self.window_seconds)

    @property
    def use(self) -> ApiUse:
        """How many requests, retries, seconds of waiting and bytes there were so far."""
        return ApiUse(**asdict(self._use))

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    @contextmanager
    def bounded(self, seconds: float, patience: Patience) -> Iterator[None]:
        """Within the block, be only that patient, and send or wait for nothing after its end.

        Raises `RequestsUsedUp` for a request that would come, or would have to wait, too late.
        """
        before = self.patience
        self.patience, self._deadline = patience, Deadline.after(seconds)
        try:
            yield
        finally:
            self.patience, self._deadline = before, Deadline()

    def get_json(
        self,
        path: str,
        params: Mapping[str, str | int] | None = None,
        *,
        also: frozenset[int] = frozenset(),
    ) -> tuple[dict[str, Any], Answer]:
        """GET a JSON object, fractions as `Decimal`, and the answer that it came in.

        Returns an empty object for a status in `also`. Raises one of our errors for any other
        status than 200, and `BadData` when the body is no JSON object in all attempts. An answer
        that the cache holds costs no request.
        """
        cache = self.cache if is_kept(path, params) else None
        url = self.base_url + path
        kept = None if cache is None else cache.load(url)
        if kept is not None:
            return kept
        parsed, answer = self._fetch_json(path, params, also)
        if cache is not None and answer.status == 200:
            cache.save(url, answer)
        return parsed, answer

    def _fetch_json(
        self, path: str, params: Mapping[str, str | int] | None, also: frozenset[int]
    ) -> tuple[dict[str, Any], Answer]:
        def attempt() -> tuple[dict[str, Any], Answer]:
            answer = self._ask("GET", path, params, also)
            return {} if answer.status in also else parse_object(answer), answer

        return self._retry(attempt)

    def post_once(self, path: str, *, also: frozenset[int]) -> Answer:
        """POST once; after a failure the caller must find out whether it had an effect.

        Only a 429 is tried again, because it says that nothing was done.
        """
        return self._retry(lambda: self._ask("POST", path, None, also), only_throttled=True)

    def download(self, path: str, destination: Path) -> Answer:
        """GET a body into a file; each attempt writes the file from its beginning.

        Raises `BadData` when the body is shorter than announced in all attempts, `StorageFailed`
        when the disk does not take it.
        """

        def attempt() -> Answer:
            with self._send("GET", path, None, stream=True) as response:
                if response.status_code != 200:
                    self._check(response, frozenset(), self._read(response))
                self._save(response, destination)
                return Answer(status=response.status_code, headers=response.headers)

        return self._retry(attempt)

    def _save(self, response: requests.Response, destination: Path) -> None:
        try:
            with destination.open("wb") as file:
                for chunk in bounded(response.iter_content(_CHUNK_BYTES), MAX_INVENTORY_BYTES):
                    file.write(chunk)
        except requests.RequestException as exc:
            raise RetryLater(broken_transfer(exc)) from exc
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
            body = self._read(response)
            self._check(response, also, body)
            body = without_token(body, self.token)
            return Answer(status=response.status_code, headers=response.headers, body=body)

    def _read(self, response: requests.Response) -> bytes:
        try:
            return b"".join(bounded(response.iter_content(_CHUNK_BYTES), MAX_ANSWER_BYTES))
        except requests.RequestException as exc:
            raise RetryLater(broken_transfer(exc)) from exc
        finally:
            self._use.bytes += response.raw.tell()

    def _send(
        self,
        method: str,
        path: str,
        params: Mapping[str, str | int] | None,
        *,
        stream: bool,
    ) -> requests.Response:
        self._check_allowance()
        self._keep_pace()
        self._use.requests += 1
        try:
            response = self._session.request(
                method,
                self.base_url + path,
                params=params,
                stream=stream,
                timeout=self.patience.timeouts(self._deadline),
                # A redirected POST would be sent as a GET.
                allow_redirects=method == "GET",
            )
        except OSError as exc:  # as every error of `requests` is
            raise no_answer(exc) from exc
        self._heed(response.headers)
        self._note_clock(response)
        _log.debug("%s %s → %s", method, path, response.status_code)
        return response

    def _keep_pace(self) -> None:
        """Wait until both Discogs' headers and the count shared with other processes allow it."""
        pacer = self._pacer
        self._wait(pacer.delay_seconds(time.monotonic()), "to stay below the rate limit")
        if self.shared_limit is not None and not pacer.is_uncounted:
            while (seconds := self.shared_limit.reserve(pacer.limit)) > 0:
                self._wait(seconds, "because all processes here share one rate limit")
        pacer.sent(time.monotonic())

    def _heed(self, headers: Mapping[str, str]) -> None:
        was_uncounted = self._pacer.is_uncounted
        self._pacer.answered(
            parse_number(headers.get("X-Discogs-Ratelimit")),
            parse_number(headers.get("X-Discogs-Ratelimit-Remaining")),
        )
        # The first requests were noted in the shared window before the server was known not to
        # count: take them out, or the next process would wait for them.
        if self.shared_limit is not None and self._pacer.is_uncounted and not was_uncounted:
            self.shared_limit.forget()

    def _note_clock(self, response: requests.Response) -> None:
        served_at = parse_date(response.headers.get("Date", ""))
        if served_at is not None and response.status_code == 200:
            ahead = served_at - datetime.now(UTC)
            # The freshest answer is right: any other was under way, or in a proxy's cache.
            self.clock_offset = max(self.clock_offset or ahead, ahead)

    def _check_allowance(self) -> None:
        if self.max_requests is not None and self._use.requests >= self.max_requests:
            raise RequestsUsedUp(
                f"the {self.max_requests:,} requests that this run may send are used up",
                hint="run again, or raise --max-requests",
            )
        self._deadline.require(0.0)

    def _check(self, response: requests.Response, also: frozenset[int], body: bytes) -> None:
        wait_seconds = self.patience.first_throttled_wait_seconds
        check_status(response, also, firewall_wait_seconds=wait_seconds, body=body)

    def _retry(self, attempt: Callable[[], T], *, only_throttled: bool = False) -> T:
        """Call `attempt` until it returns, until it fails for good, or until patience ends."""
        gives_up_at = min(time.monotonic() + self.patience.total_seconds, self._deadline.ends_at)
        tries = 0
        while True:
            try:
                return attempt()
            except RetryLater as fault:
                tries += 1
                wait_seconds = self.patience.wait_before_retry(fault, tries)
                is_last = tries >= self.patience.attempts or (
                    only_throttled and not fault.throttled
                )
                if is_last or time.monotonic() + wait_seconds > gives_up_at:
                    raise fault.error from fault
                self._use.retries += 1
                self._pause(wait_seconds, fault)

    def _pause(self, seconds: float, fault: RetryLater) -> None:
        if fault.throttled:
            self._wait(seconds, f"because {fault}")
        else:
            _log.info("trying again in %.1f s: %s", seconds, fault)
            self.sleep(seconds)

    def _wait(self, seconds: float, why: str) -> None:
        if seconds <= 0:
            return
        self._deadline.require(seconds)
        _log.info("waiting %.1f s %s", seconds, why)
        self._use.throttled_seconds += seconds
        self.sleep(seconds)
