"""Let discosync sync from a sandbox."""

import sys
import tempfile
from pathlib import Path

from benchmarks.harness.processes import Measured, measure
from discosync.sandbox.state import SandboxState


def sync_from(url: str, state: SandboxState, source: str) -> Measured:
    """Sync a fresh database; raise `RuntimeError` when discosync does not end well."""
    with tempfile.TemporaryDirectory() as name:
        settings = {
            "DISCOGS_API_URL": url,
            "DISCOGS_TOKEN": state.token,
            "DISCOGS_USERNAME": state.seller,
            "DATABASE_URL": f"sqlite:///{Path(name) / 'shop.db'}",
            "REPORT_DIR": name,
            "HOME": name,
        }
        command = [sys.executable, "-m", "discosync", "sync", "-q", "--source", source]
        done = measure(command, cwd=Path(name), more=settings)
    if done.exit_code != 0:
        raise RuntimeError(f"discosync ended with {done.exit_code}: {done.complaint}")
    return done
