"""What a run and the mirror report about themselves, as values."""
