"""The history of listings: reading, undoing and thinning it, restoring, purging, and statistics."""
