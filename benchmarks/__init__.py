"""Tools that measure the toolkit: speed, kills, models against each other."""
import interrupts  # noqa: F401
