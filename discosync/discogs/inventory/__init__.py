"""A seller's inventory, brought onto the disk: by export, by pages, or from a downloaded file."""
