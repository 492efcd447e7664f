"""The flags as the database keeps them."""
