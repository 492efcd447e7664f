"""One module a verb, each the story of that command."""
