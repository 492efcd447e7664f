"""`discosync db`: one module for the schema, one for backups, one for compacting."""
