"""Tools that measure the toolkit: speed, kills, models against each other."""
