"""Reaching the user's database: its address, connections, transactions, locks, errors."""
