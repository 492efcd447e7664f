"""Which rules a record is read by: a digest of the program's own source, and of what it rests on.

What was remembered of a snapshot holds for the very rules that made it. A version number would
not do: a checkout changes without one.
"""

import sys
import unicodedata
from hashlib import blake2b
from pathlib import Path

from discosync import __version__

RULE_FILES = (
    "core/inventory/block_parser.py",
    "core/planning/changes.py",
    "core/inventory/columns.py",
    "core/planning/decisions.py",
    "core/planning/differences.py",
    "core/inventory/header.py",
    "core/planning/known.py",
    "core/planning/lifecycle.py",
    "core/planning/limits.py",
    "core/inventory/listing.py",
    "core/inventory/money.py",
    "core/inventory/pacific.py",
    "core/inventory/parsed.py",
    "core/planning/plan.py",
    "core/inventory/record_parser.py",
    "core/inventory/records.py",
    "core/recall/remembered.py",
    "core/inventory/snapshot.py",
    "files/disk.py",
    "errors.py",
    "files/snapshot.py",
)
"""What decides what a record says and changes: all that `plan` and `files.snapshot` are made of."""


def digest_rules(package: Path) -> str:
    """Digest the rules; where the source is not to be had, the version has to do."""
    digest = blake2b(digest_size=16)
    for part in (__version__, unicodedata.unidata_version, *map(str, sys.version_info[:2])):
        digest.update(f"{part}\0".encode())
    for name in RULE_FILES:
        try:
            digest.update((package / name).read_bytes())
        except OSError:
            digest.update(b"\0")
    return digest.hexdigest()


# At once, and not when it is asked for: a run may last an hour, and its source change meanwhile.
RULES_DIGEST = digest_rules(Path(__file__).parents[2])
