"""Whose token it is, asked of Discogs."""

from discosync.discogs.http.transport import Transport


def fetch_username(transport: Transport) -> str:
    """Ask whose the token is; raises `AuthRefused` when it is nobody's."""
    identity, _ = transport.get_json("/oauth/identity")
    return str(identity.get("username", ""))
