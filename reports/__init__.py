"""Things that people look at."""
