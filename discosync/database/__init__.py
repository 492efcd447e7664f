"""The adapter to SQLite and Postgres: no other room knows SQL."""
