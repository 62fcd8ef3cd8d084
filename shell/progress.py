"""How far a command is."""
import math
import sys
import time

from .messages import _show


class Progress:
    """A progress bar with rate and time left on a terminal; elsewhere a plain line every 30 seconds."""

    def __init__(self, total, unit, first=0, seconds=30):
        self.total, self.unit, self.first, self.done, self.seconds = total, unit, first, first, seconds
        self.start = self.last = time.monotonic()
        self.bar, self._steps = None, {}
        if sys.stderr.isatty():
            from tqdm import tqdm
            self.bar = tqdm(total=total, initial=first, unit=f" {unit}", dynamic_ncols=True, smoothing=0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.bar:
            self.bar.close()

    def reach(self, names, step, **figures):
        """Count that each of the items `names` has got to its step `step`."""
        before = sum(self._steps.get(name, 0) for name in names)
        self._steps.update(dict.fromkeys(names, step))
        self.update(step * len(names) - before, **figures)

    def expect(self, count):
        """There are `count` more to do than it seemed."""
        self.total += count
        if self.bar:
            self.bar.total = self.total

    def update(self, count=1, **figures):
        """Count `count` more as done, and show `figures` beside them."""
        self.done += count
        if self.bar:
            self.bar.set_postfix(figures, refresh=False)
            self.bar.update(count)
        elif time.monotonic() - self.last >= self.seconds:
            self.last = time.monotonic()
            rate = (self.done - self.first) / (self.last - self.start)
            left = (self.total - self.done) / rate if rate else math.inf
            shown = "".join(f", {name} {value}" for name, value in figures.items())
            _show(f"{self.done}/{self.total} {self.unit}, {rate:.1f}/s, {left:.0f} s left{shown}", sys.stderr)
