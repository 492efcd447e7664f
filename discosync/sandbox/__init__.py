"""A local server that answers as the Discogs API does, for a made-up inventory."""
