"""A seller's inventory as a file on our disk: from an export, the pages, or a downloaded file."""
