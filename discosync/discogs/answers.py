"""What an answer of Discogs means: usable, worth another try, or one of our errors."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from discosync.errors import (
    AuthRefused,
    BadData,
    DiscosyncError,
    RateLimited,
    SourceUnavailable,
)
from discosync.render.scrubbing import hide

SANDBOX_HEADER = "X-Discosync-Sandbox"
"""A header that every answer of discosync's own sandbox has, and none of Discogs."""

_RETRIED_STATUSES = frozenset({408, 500, 502, 503, 504, *range(520, 531)})
"""Trouble that passes; 520 to 530 are Cloudflare's own, which stands before the API."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer whose status the caller can use: 200, 201, or one that it asked for."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def served_at(self) -> datetime:
        """When the server answered, by its `Date` header; by our clock if there is none."""
        return parse_date(self.headers.get("Date", "")) or datetime.now(UTC)

    @property
    def is_sandbox(self) -> bool:
        """Whether discosync's own sandbox answered."""
        return SANDBOX_HEADER in self.headers


class RetryLater(Exception):
    """This attempt failed, but another one may work; `error` is what to raise if none does.

    `wait_seconds` is what Discogs asked for; `throttled` says that it answered 429. The transport
    and the cache catch it: no other module sees it.
    """

    def __init__(
        self, error: DiscosyncError, *, wait_seconds: float | None = None, throttled: bool = False
    ) -> None:
        super().__init__(error.message)
        self.error = error
        self.wait_seconds = wait_seconds
        self.throttled = throttled


def check_status(
    response: requests.Response,
    also: frozenset[int],
    *,
    firewall_wait_seconds: float,
    body: bytes | None = None,
) -> None:
    """Accept 200, 201 and the statuses in `also`; raise for every other one.

    Raises `RetryLater` where another attempt may work, `AuthRefused` for a 401 and a 403 by Discogs
    itself, `SourceUnavailable` for the rest. A 404 in `also` counts only if Discogs itself says it.
    """
    status = response.status_code
    if status in {200, 201} or (status in also and status != 404):
        return  # a 304 has no body, and that of a 409 is not documented
    said = _error_body_of(response.content if body is None else body)
    message = _own_message_of(said)
    if status == 429:
        raise _throttled(response, message or _foreign_words_of(said))
    # A firewall or proxy in front of the API refuses with a web page (reported, October 2022) or
    # with JSON in a form of its own (Cloudflare, March 2026), and may let the next attempt through.
    # A refusal by Discogs itself has a `message`, and is final.
    if message is None and (status == 403 or status in also):
        raise RetryLater(
            SourceUnavailable(
                f"something in front of Discogs answered {status}: {_foreign_words_of(said)}",
                hint="nothing was changed; try again later",
            ),
            wait_seconds=firewall_wait_seconds,
        )
    if status in also:
        return
    raise _refused(status, message or _foreign_words_of(said))


def _refused(status: int, message: str) -> Exception:
    if status == 401:
        return AuthRefused(
            f"Discogs refuses the token (401: {message})",
            hint="make a new one at https://www.discogs.com/settings/developers and set "
            "DISCOGS_TOKEN",
            code="token_refused",
        )
    if status == 403:
        return AuthRefused(
            f"Discogs does not allow this (403: {message})",
            hint="is the token that of the seller?",
            code="forbidden",
        )
    unavailable = SourceUnavailable(
        f"Discogs answered {status}: {message}", hint="nothing was changed; try again later"
    )
    return RetryLater(unavailable) if status in _RETRIED_STATUSES else unavailable


def _throttled(response: requests.Response, said: str) -> RetryLater:
    return RetryLater(
        RateLimited(
            f"Discogs keeps answering 429: {said}",
            hint="something else at this address may be using up the limit; "
            "the next run tries again",
        ),
        wait_seconds=_retry_after_seconds(response),
        throttled=True,
    )


def parse_object(answer: Answer) -> dict[str, Any]:
    """Parse a JSON object, fractions as `Decimal`; raise `RetryLater` for anything else."""
    try:
        parsed = json.loads(answer.body, parse_float=Decimal)
    except (ValueError, RecursionError) as exc:
        raise RetryLater(_not_json(answer)) from exc
    if not isinstance(parsed, dict):
        raise RetryLater(_not_json(answer))
    return parsed


def _not_json(answer: Answer) -> BadData:
    what = "a web page (HTML)" if answer.body.lstrip().startswith(b"<") else "something else"
    return BadData(
        f"Discogs answered with {what} instead of JSON",
        hint="nothing was changed; Discogs may be in maintenance, try again later",
        code="not_json",
    )


def _own_message_of(body: Mapping[str, Any]) -> str | None:
    """Return the `message` of Discogs' own form of an error; None for any other body."""
    message = body.get("message")
    return _legible(message) if isinstance(message, str) and message else None


def _foreign_words_of(body: Mapping[str, Any]) -> str:
    """Return what another server says in its own form of an error; else "no reason given"."""
    # Cloudflare's form is that of RFC 9457.
    words = [body[key] for key in ("title", "detail") if isinstance(body.get(key), str)]
    return _legible(": ".join(words)) or "no reason given"


def _error_body_of(body: bytes) -> Mapping[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _legible(text: str) -> str:
    # Before it is cut: half a token is one letter after the other of a token.
    return hide(text)[:200].encode(errors="replace").decode()  # a lone surrogate is no text


def parse_number(text: str | None) -> int | None:
    """Parse a header that should hold a whole number; return None if it does not."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


def _retry_after_seconds(response: requests.Response) -> float | None:
    """Return the seconds in `Retry-After`, which holds seconds or a date; None without it.

    Whether Discogs sends it with a 429 is not documented, and reports contradict each other.
    """
    text = response.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    moment = parse_date(text)
    if moment is None:
        return None
    # The server that names the moment means it by its own clock.
    now = parse_date(response.headers.get("Date", "")) or datetime.now(UTC)
    return max(0.0, (moment - now).total_seconds())


def parse_date(text: str) -> datetime | None:
    """Parse a moment as a header holds it; return None for anything else."""
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
