"""Where the process starts: `discosync`, or `python -m discosync`."""

import gc

from discosync.ending import leave_signals, take_signals

OBJECTS_PER_COLLECTION = 50_000


def main() -> None:
    """Run the command line.

    Nearly everything that a start creates stays until the end, and the rest is freed when nothing
    refers to it. Python's cycle collector would still look after every 700 objects, and through all
    objects at the end: a tenth of a second of an unchanged hour. So it looks seldom, and not at the
    end, when every file and connection is closed.
    """
    take_signals()
    gc.set_threshold(OBJECTS_PER_COLLECTION)
    from discosync.cli import main as run  # noqa: PLC0415 - importing it creates most objects

    try:
        run()
    finally:
        leave_signals()
        gc.freeze()


if __name__ == "__main__":
    main()
