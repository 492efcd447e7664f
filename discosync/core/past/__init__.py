"""The history: reading it, undoing it, thinning it, purging, and figures over it."""
