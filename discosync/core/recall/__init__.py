"""How an unchanged hour is cheap: what a run remembers of a snapshot for the next one."""
