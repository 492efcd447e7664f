"""Writing a file by rename, so that nobody reads half of one."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_json(content: Mapping[str, Any], path: Path) -> None:
    """Write a JSON object, indented, as `write_text` does."""
    write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", path)


def write_text(text: str, path: Path) -> None:
    """Write a text to a draft beside `path` and rename it; raise `OSError` when that fails.

    A link stays a link: the file that it names is replaced. A pipe or a device is written to.
    """
    # A rename would replace `/dev/stdout`, or a pipe, by a plain file.
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")
        return
    if path.is_symlink():
        path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    # Beside it: a rename works only within one file system. The pid keeps two runs apart.
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
