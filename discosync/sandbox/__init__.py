"""A look-alike of the Discogs API on loopback, over an inventory that it makes up."""
