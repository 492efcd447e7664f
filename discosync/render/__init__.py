"""From values to text, HTML and SVG: no decision, no file, no network."""
