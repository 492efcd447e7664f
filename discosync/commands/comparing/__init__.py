"""The chapters of `compare`."""
