"""Numbers about images."""
