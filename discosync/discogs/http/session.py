"""The session of `requests` to the API: who asks, and in which form."""

import requests

from discosync import __version__
from discosync.discogs.http.token_header import TokenHeader


def make_session(base_url: str, token: str | None) -> requests.Session:
    """Make a session to the API at `base_url`; without a `token` it sees what everybody sees."""
    session = requests.Session()
    # Discogs asks for a unique User-Agent and may block requests without one (Discogs' API
    # documentation, general information).
    session.headers["User-Agent"] = f"discosync/{__version__} (inventory mirror)"
    session.headers["Accept"] = "application/vnd.discogs.v2.discogs+json"
    session.auth = TokenHeader(token)
    # The sandbox on loopback needs no proxy, and with plain HTTP a proxy would see the token.
    session.trust_env = base_url.startswith("https:")
    return session
