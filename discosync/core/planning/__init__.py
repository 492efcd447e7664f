"""What a snapshot means for the rows that the database holds: the plan, and its limits."""
