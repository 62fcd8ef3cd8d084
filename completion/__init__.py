"""The method: what is known of a face, how well a generated one agrees with it, the search, and the blend."""
import interrupts  # noqa: F401
