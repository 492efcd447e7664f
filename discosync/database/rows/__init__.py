"""The rows of `listings` and `sync_runs`: load what is known, write what was decided."""
