"""Requests to the Discogs API: sending, retrying, and staying below its rate limit."""
