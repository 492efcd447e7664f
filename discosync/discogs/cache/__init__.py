"""Answers about the catalogue, kept for a while in a Redis or in a file."""
