"""The chapters of `sync`."""
