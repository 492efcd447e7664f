"""Pure decisions: standard library and `errors` only; no clock, network, file or database."""
