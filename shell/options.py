"""Options that commands share, and what their values may be."""
import argparse
import difflib
import math
import os
import sys
import textwrap

from helpers import USAGE, VERSION

from .messages import be_quiet, command_name, say

COMMANDS = "python ", "taskset "                         # how examples begin
LARGEST = 2 ** 31 - 1                                   # whole number that every library takes, seeds among them


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line and whose help shows every default, and at its end `examples`.

    Without them, `description` is a command's docstring, and its paragraphs of command lines are the examples.
    """

    def __init__(self, description, examples="", **others):
        if not examples:
            parts = description.strip().split("\n\n")
            examples = "\n".join(part for part in parts if part.startswith(COMMANDS))
            description = "\n\n".join(part for part in parts if not part.startswith(COMMANDS))
        super().__init__(description=description, epilog=examples and f"examples:\n{textwrap.indent(examples, '  ')}",
                         formatter_class=_HelpFormatter, allow_abbrev=False, **{"prog": command_name()} | others)
        self.add_argument("--version", action="version", version=f"%(prog)s {VERSION}")
        self.add_argument("--quiet", action=_Quiet, nargs=0, default=argparse.SUPPRESS, help="show no progress: "
                          "nothing but warnings and errors on stderr, and the results on stdout")

    def parse_known_args(self, args=None, namespace=None):
        """As argparse does, but an unknown option is an error that names the one that may have been meant."""
        words = list(sys.argv[1:] if args is None else args)
        end = words.index("--") if "--" in words else len(words)
        for name in () if self._subparsers else (word.partition("=")[0] for word in words[:end]):
            if name.startswith("--") and " " not in name and name not in self._option_string_actions:
                self.error(f"there is no option {name}{_meant(name, self._option_string_actions)}")
        return super().parse_known_args(words, namespace)

    def _get_values(self, action, arg_strings):
        """As argparse does, but a blank value, such as of an unset variable, is an error and not the current folder."""
        nested = action.nargs == argparse.PARSER        # whose words its own parser looks through
        for word in () if nested else arg_strings:
            if not word.strip() and not os.path.lexists(word):
                raise argparse.ArgumentError(action, f"needs a value, got {word!r}")
        return super()._get_values(action, arg_strings)

    def _check_value(self, action, value):
        if action.choices is not None and value not in action.choices:
            raise argparse.ArgumentError(action, f"takes no {value!r}{_meant(value, action.choices)} "
                                         f"(choose from {', '.join(map(str, action.choices))})")

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


class Listing(argparse.Action):
    """Says the lines that a function returns, and ends."""

    def __init__(self, option_strings, dest, lines, help):
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=help)
        self.lines = lines

    def __call__(self, parser, *_):
        for line in self.lines():
            say(line)
        parser.exit()


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Shows the choices and the default of an option once, behind its help, and no default that says nothing."""

    def _format_usage(self, usage, actions, groups, prefix):
        if usage is not None:
            return super()._format_usage(usage, actions, groups, prefix)
        needed = [action for action in actions if action.required or not action.option_strings]
        return super()._format_usage(None, needed, [], prefix).rstrip() + " [options]\n\n"

    def _fill_text(self, text, width, indent):
        """Paragraphs as wide as the terminal; examples and tables, which have blanks beside each other, as they are."""
        return "\n\n".join(part if "  " in part else textwrap.fill(part, width, break_on_hyphens=False)
                           for part in text.split("\n\n"))

    def _metavar_formatter(self, action, default_metavar):
        metavar = default_metavar if action.metavar is None else action.metavar
        return lambda size: metavar if isinstance(metavar, tuple) else (metavar,) * size

    def _get_help_string(self, action):
        if not action.option_strings or action.nargs == 0:
            return action.help
        default = " ".join(map(str, action.default)) if isinstance(action.default, (list, tuple)) else action.default
        notes = [f"one of {', '.join(map(str, action.choices))}"] if action.choices else []
        notes += [] if default in (None, "") else [f"default: {default}"]
        return f"{action.help} ({'; '.join(notes)})" if notes else action.help


def _meant(word, known):
    """The words that ask whether the one of `known` most like a word was meant; none if nothing is like it."""
    near = difflib.get_close_matches(str(word), map(str, known), 1)
    return f", did you mean {near[0]}?" if near else ""


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
