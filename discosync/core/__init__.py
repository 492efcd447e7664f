"""Decisions from values alone: nothing here reads a clock, the network, a file or a database."""
