"""What commands leave for people: folders of completed faces, sheets, figures, curves and pages."""
import interrupts  # noqa: F401
