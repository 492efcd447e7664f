"""The chapters of `discosync restore`: from the history, or from an archive of a purge."""
