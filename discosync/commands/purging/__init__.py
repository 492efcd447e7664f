"""The chapters of `purge-inactive`: archive first, then delete."""
