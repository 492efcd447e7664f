"""Run one command; print its seconds, its peak memory in MB and its exit status.

A small process of its own: the kernel counts the memory of whoever starts a process as the
process's own, so the benchmark, which holds the inventory, must not start it.
"""

import os
import sys
import time


def main() -> None:
    """Measure from before the start to after the end."""
    command = sys.argv[1:]
    to_stderr = [(os.POSIX_SPAWN_DUP2, 2, 1)]
    began = time.monotonic()
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=to_stderr)
    _, status, usage = os.wait4(pid, 0)
    seconds = time.monotonic() - began
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024  # ru_maxrss counts in bytes or kB
    print(seconds, usage.ru_maxrss / unit, os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
