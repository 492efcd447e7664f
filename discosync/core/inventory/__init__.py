"""What a file or a page of an inventory says: records, fields, listings."""
