"""Texts of settings: which are accepted, and what a refusal says."""

from collections.abc import Callable
from typing import Any

import pytest

from discosync.settings.values import (
    parse_api_url,
    parse_batch_size,
    parse_currency,
    parse_days,
    parse_log_format,
    parse_redis_url,
    parse_seconds,
    parse_switch,
    parse_token,
)


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (parse_switch, " ON ", True),
        (parse_switch, "0", False),
        (parse_days, "1", 1),
        (parse_days, "36500", 36_500),
        (parse_batch_size, "100000", 100_000),
        (parse_seconds, "0", 0),
        (parse_seconds, "999999999", 999_999_999),
        (parse_currency, "eur", "EUR"),
        (parse_log_format, "json", "json"),
        (parse_redis_url, "unix:///run/redis.sock", "unix:///run/redis.sock"),
        (parse_redis_url, "rediss://:secret@host:6380/1", "rediss://:secret@host:6380/1"),
        (parse_api_url, "https://api.discogs.com/", "https://api.discogs.com"),
        (parse_api_url, "http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        (parse_api_url, "http://[::1]:8080", "http://[::1]:8080"),
        (parse_token, "aBcDeF", "aBcDeF"),
    ],
)
def test_good_value_is_read(parse: Callable[[str], Any], text: str, value: object) -> None:
    """Both ends of each range are inside it."""
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_switch, "maybe"),
        (parse_days, "0"),
        (parse_days, "36501"),
        (parse_days, "1" * 5000),
        (parse_days, "٣"),
        (parse_batch_size, "0"),
        (parse_batch_size, "100001"),
        (parse_seconds, "-1"),
        (parse_seconds, "1000000000"),
        (parse_seconds, "1.5"),
        (parse_currency, "XXX"),
        (parse_log_format, "xml"),
        (parse_redis_url, "http://host"),
        (parse_redis_url, "redis://"),
        (parse_redis_url, "redis://host:port"),
        (parse_api_url, "http://api.discogs.com"),
        (parse_api_url, "http://localhost.example.com"),
        (parse_api_url, "https://user:secret@api.discogs.com"),
        (parse_api_url, "ftp://127.0.0.1"),
        (parse_token, "two words"),
        (parse_token, "naïve"),
    ],
)
def test_bad_value_is_refused_with_an_example(parse: Callable[[str], Any], text: str) -> None:
    """Whoever typed it sees a value that would be right."""
    with pytest.raises(ValueError, match="example: "):
        parse(text)


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_token, "my secret"),
        (parse_redis_url, "redis://:my secret@host:x"),
        (parse_redis_url, "http://:my secret@host"),
        (parse_api_url, "https://user:my secret@api.discogs.com"),
    ],
)
def test_refusal_does_not_repeat_a_secret(parse: Callable[[str], Any], text: str) -> None:
    """An error goes into logs and reports, so the faulty text stays out of it."""
    with pytest.raises(ValueError, match="example") as refused:
        parse(text)
    assert "secret" not in str(refused.value)
