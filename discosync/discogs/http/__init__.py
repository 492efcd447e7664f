"""One session to the Discogs API: retries, the pace, and the limit that all processes share."""
