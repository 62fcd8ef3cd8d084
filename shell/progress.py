"""How far a command is: shown as it works, and told to whoever asks by SIGUSR1."""
import contextlib
import signal
import sys
import threading
import time

from helpers import counted

from .messages import command_name, is_quiet, say_at_once, show

BAR = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}{postfix}]"
_at_work = []                                           # the Progress of what is done, the innermost last


class Progress:
    """A progress bar with rate and time left on a terminal; elsewhere a plain line every 30 seconds; or --quiet.

    total : how many of `unit` there are, None if nobody knows. Work that is not counted at all says how long it lasts.
    """

    def __init__(self, total, unit, first=0, seconds=30):
        self.total, self.unit, self.first, self.done, self.seconds = total, unit, first, first, seconds
        self.start, self._figures, self._steps = time.monotonic(), "", {}
        self.bar, self._over = None, threading.Event()

    def __enter__(self):
        _at_work.append(self)
        if not is_quiet():
            if sys.stderr.isatty():
                from tqdm import tqdm
                form = {"bar_format": "{desc}", "leave": False} if self.total is None else {"bar_format": BAR}
                self.bar = tqdm(total=self.total, initial=self.first, dynamic_ncols=True, smoothing=0.05, **form)
            threading.Thread(target=self._show_now_and_then, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._over.set()
        _at_work.remove(self)
        if self.bar is not None:
            self._refresh()
            self.bar.close()

    def _show_now_and_then(self):
        while not self._over.wait(1 if self.bar is not None else self.seconds):
            if self.bar is not None:
                self._refresh()
            else:
                show(self.describe(), sys.stderr)

    def _refresh(self):
        """Draw the bar though nothing may have been finished: time has passed."""
        if self.total is None:
            self.bar.set_description_str(self.describe())
        else:
            seconds = max(time.monotonic() - self.start, 1e-9)
            lately = None if self._over.is_set() else self.bar.format_dict["rate"]
            rate = lately or (self.done - self.first) / seconds
            self.bar.set_postfix_str((self._pace(rate) if rate else "") + self._figures)

    def describe(self):
        """What is done, how much of it, at which rate, and the time left, in one line."""
        seconds, done = time.monotonic() - self.start, self.done - self.first
        if not done:
            return f"{'' if self.total is None else f'{self.done}/{self.total} '}{self.unit}, {seconds:.0f} s so far"
        if self.total is None:
            noun, *rest = self.unit.split()
            return f"{' '.join([counted(self.done, noun.removesuffix('s')), *rest])}, {self._pace(done / seconds)}"
        left = max(0, self.total - self.done) * seconds / done
        return f"{self.done}/{self.total} {self.unit}, {self._pace(done / seconds)}, {left:.0f} s left{self._figures}"

    def _pace(self, rate):
        """A rate in words, such as 3.5 faces/s or 28.8 s/face."""
        unit, *_ = self.unit.split()
        return f"{rate:.1f} {unit}/s" if rate >= 1 else f"{1 / rate:.1f} s/{unit.removesuffix('s')}"

    def reach(self, names, step, **figures):
        """Count that each of the items `names` has got to its step `step`."""
        before = sum(self._steps.get(name, 0) for name in names)
        self._steps.update(dict.fromkeys(names, step))
        self.update(step * len(names) - before, **figures)

    def expect(self, count):
        """There are `count` more to do than it seemed."""
        self.total += count
        if self.bar is not None:
            self.bar.total = self.total

    def update(self, count=1, **figures):
        """Count `count` more as done, and show `figures` beside them."""
        self.done += count
        self._figures = "".join(f", {name} {value}" for name, value in figures.items())
        if self.bar is not None and self.total is not None:
            self.bar.update(count)

    def each(self, items):
        """Yield the items, and count each when the next is asked for."""
        for item in items:
            yield item
            self.update()


@contextlib.contextmanager
def telling_on_request():
    """Until the end of this context, print what is done and how far it is whenever SIGUSR1 comes."""
    before = signal.signal(signal.SIGUSR1, _tell)
    signal.siginterrupt(signal.SIGUSR1, False)          # no library's call into the system is broken off by it
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, before)


def _tell(*_):
    state = _at_work[-1].describe() if _at_work else "between two parts of the work"
    say_at_once(f"{command_name()}: {state}")
