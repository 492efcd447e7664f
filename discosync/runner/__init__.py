"""The frame of every command: clock, signals, time budget, phases, and from error to report.

A command's story only tells what it does; how it ends is decided here, once.
"""

from discosync.runner.frame import execute
from discosync.runner.run import Run, RunRequest
from discosync.runner.signals import Signals, StopRun

__all__ = ["Run", "RunRequest", "Signals", "StopRun", "execute"]
