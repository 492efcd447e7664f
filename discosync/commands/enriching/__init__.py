"""The chapters of `enrich`."""
