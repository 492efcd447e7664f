"""What the last applied snapshot left in the database for the next run."""
