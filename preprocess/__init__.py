"""From raw photos to aligned faces, split into those to train on and those to test on."""
import interrupts  # noqa: F401
