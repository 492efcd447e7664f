"""Make `first-run.svg`, the picture in the README: `python docs/images/make_first_run.py`.

The script calls `discosync sync --sandbox` twice, on a terminal of its own and with an empty home
directory, and draws what the program printed. The home directory is shown as `/home/you`.
"""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

PICTURE = Path(__file__).with_name("first-run.svg")
COLUMNS = 100
_COMMAND = ("sync", "--sandbox")
_FONTS_FROM_THE_NETWORK = re.compile(r" *@font-face \{.*?\}\n", re.DOTALL)


def run_on_terminal(arguments: tuple[str, ...], home: Path) -> str:
    """Call discosync with its stdout on a terminal; return what it printed, colours included."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    environment = {"HOME": str(home), "PATH": os.defpath, "TERM": "xterm-256color"}
    with subprocess.Popen(
        [sys.executable, "-m", "discosync", *arguments],
        stdout=theirs,
        stderr=subprocess.PIPE,
        env=environment,
        cwd=home,
    ) as process:
        os.close(theirs)
        printed = b""
        while block := _read(ours):
            printed += block
        _, complaints = process.communicate()
    os.close(ours)
    if process.returncode != 0:
        raise SystemExit(complaints.decode())
    return printed.decode().replace("\r\n", "\n").replace(str(home), "/home/you")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # what Linux says once the other end is closed
        return b""


def render(printed: list[str]) -> str:
    """Draw each command with what it printed, as one SVG that needs no network."""
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True)
    for text in printed:
        console.print(Text(f"$ discosync {' '.join(_COMMAND)}", style="bold"))
        console.print(Text.from_ansi(text))
        console.print()
    svg = console.export_svg(title="discosync", unique_id="first-run")
    return _FONTS_FROM_THE_NETWORK.sub("", svg).replace(
        "Fira Code", "ui-monospace, Menlo, Consolas"
    )


def make(picture: Path = PICTURE) -> None:
    """Run twice, and write the picture."""
    with tempfile.TemporaryDirectory() as home:
        printed = [run_on_terminal(_COMMAND, Path(home)) for _ in range(2)]
    picture.write_text(render(printed))


if __name__ == "__main__":
    make()
