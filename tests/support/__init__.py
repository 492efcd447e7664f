"""What several tests need: a real Postgres, inventories, and a way to run the program."""
