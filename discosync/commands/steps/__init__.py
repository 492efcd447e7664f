"""Steps that several commands share: opening, locking, flags, committing."""
