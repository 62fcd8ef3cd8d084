"""Options that commands share, and what their values may be."""
import argparse
import math
import os
import sys

from helpers import USAGE, VERSION

from .messages import be_quiet, command_name

LARGEST = 2 ** 31 - 1                                   # whole number that every library takes, seeds among them


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line and whose help shows every default, and an example at its end."""

    def __init__(self, description, example=None, **others):
        super().__init__(description=description, epilog=example and f"example:\n  {example}",
                         formatter_class=_HelpFormatter, allow_abbrev=False, **{"prog": command_name()} | others)
        self.add_argument("--version", action="version", version=f"%(prog)s {VERSION}")
        self.add_argument("--quiet", action=_Quiet, nargs=0, default=argparse.SUPPRESS, help="show no progress: "
                          "nothing but warnings and errors on stderr, and the results on stdout")

    def parse_inputs(self, argv=None):
        """The command line as a namespace whose `paths` may stand anywhere; after -- all words are paths."""
        words = list(sys.argv[1:] if argv is None else argv)
        end = words.index("--") if "--" in words else len(words)
        options = self.parse_intermixed_args(words[:end])
        options.paths += words[end + 1:]
        return options

    def error(self, message):
        self.exit(USAGE, f"{self.prog}: error: {message} (--help lists the options)\n")

    def refuse_given(self, options, names, why):
        """End with a usage error if one of the options `names` is given, though it would do nothing."""
        for name in names:
            if getattr(options, name) != self.get_default(name):
                self.error(f"--{name} {why}")


class _Quiet(argparse.Action):
    def __call__(self, *_):
        be_quiet(True)


class _HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Shows the defaults that say something."""

    def _get_help_string(self, action):
        return action.help if action.default in (None, False, []) else super()._get_help_string(action)


def whole_number(at_least=0, at_most=LARGEST):
    """An argparse type: an integer from `at_least` to `at_most`, such as a seed."""
    def convert(text):
        try:
            value = int(text)
        except ValueError:
            value = None
        if value is None or not at_least <= value <= at_most:
            shown = text if len(text) <= 40 else f"{text[:40]}..."
            raise argparse.ArgumentTypeError(f"needs a whole number from {at_least} to {at_most}, got {shown!r}")
        return value
    return convert


def number(at_least=-math.inf, at_most=math.inf, above=-math.inf):
    """An argparse type: a finite number within the bounds; `above` is a bound that it must not equal."""
    def convert(text):
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and at_least <= value <= at_most and value > above):
            bounds = [f"{name} {bound:g}" for name, bound in
                      (("at least", at_least), ("above", above), ("at most", at_most)) if math.isfinite(bound)]
            raise argparse.ArgumentTypeError(f"needs a finite number {' and '.join(bounds)}, got {text!r}")
        return value
    return convert


def shard(text):
    """An argparse type: one of several parts, "2/8", as (2, 8)."""
    index, _, count = text.partition("/")
    if not (index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count)):
        raise argparse.ArgumentTypeError(f"needs a part like 2/8, from 1/8 to 8/8, got {text!r}")
    return int(index), int(count)


def output_path(text):
    """An argparse type: the path of a folder or file to be written, which is not empty."""
    if not text.strip():
        raise argparse.ArgumentTypeError(f"needs a path, got {text!r}")
    return text


def folder_name(text):
    """An argparse type: the name of a folder, without the path to it."""
    if text.strip() in ("", ".", "..") or os.sep in text or "\0" in text:
        raise argparse.ArgumentTypeError(f"needs a plain name, got {text!r}")
    return text


def add_inputs(parser):
    """Declare the inputs that every command on many photos takes."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="photos or folders of photos; - reads a list from "
                        "standard input")
    parser.add_argument("--from_file", metavar="LIST", help="a text file with one path a line (60,000 paths do not "
                        "fit on a command line)")


class Words(argparse.Action):
    """Takes several words as one text with blanks between them."""

    def __call__(self, parser, namespace, values, option_string=None):
        setattr(namespace, self.dest, " ".join(values))
