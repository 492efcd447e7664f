"""Text that must not be shown."""

from discosync.settings import load_settings
from discosync.settings.secret import Secret


def test_secret_is_shown_as_stars() -> None:
    """Neither a log nor a traceback of the settings holds the token or a password."""
    settings = load_settings(
        environ={
            "DISCOGS_TOKEN": "hush",
            "DATABASE_URL": "postgresql://me:hush@host/shop",
            "REDIS_URL": "redis://:hush@host",
        }
    )
    assert "hush" not in repr(settings)
    assert f"{Secret('hush')}" == "***"
    assert Secret("hush").reveal() == "hush"
