"""`python -m discosync`."""

from discosync.cli import main

main()
