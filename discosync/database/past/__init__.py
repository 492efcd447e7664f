"""Read, pack, thin and purge the history; write what a restore decided."""
