"""The process: `discosync`, and `python -m discosync`."""

import gc

OBJECTS_PER_COLLECTION = 50_000


def main() -> None:
    """Run the command line, and end.

    Nearly all that a start makes stays, and what a run makes goes by itself once nobody refers to
    it. Python would look for cycles after every 700 objects, and through everything at the end,
    which takes a tenth of a second of an unchanged hour. Now and then is enough, and at the end,
    when every file and connection is closed, not at all.
    """
    gc.set_threshold(OBJECTS_PER_COLLECTION)
    from discosync.cli import main as run  # noqa: PLC0415 - not before the collector is told

    try:
        run()
    finally:
        gc.freeze()


if __name__ == "__main__":
    main()
