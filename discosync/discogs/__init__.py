"""The Discogs API: the only room that sends HTTP requests."""
