"""The adapter to SQLite and Postgres: the only place that knows SQL."""
