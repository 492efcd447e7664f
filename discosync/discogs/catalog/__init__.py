"""Releases with their artists and labels: by the API, or from the monthly dump."""
