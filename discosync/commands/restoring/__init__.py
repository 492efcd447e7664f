"""The chapters of `restore`: from the history, or from an archive of a purge."""
