"""The old spelling of commands that live in models/ now."""
import interrupts  # noqa: F401
