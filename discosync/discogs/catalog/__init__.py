"""Releases with their artists and labels, from the API or from the monthly dump."""
