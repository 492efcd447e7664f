"""The rows of `listings`: load what is known of them, write what was decided."""
