"""Backups of a database: made, verified, restored."""
