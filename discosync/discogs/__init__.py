"""The adapter to Discogs: the only place that knows HTTP."""
