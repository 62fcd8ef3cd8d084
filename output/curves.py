"""The course of all searches for TensorBoard."""
import json

import numpy as np

from training.journal import Journal


def write_curves(folder, budgets, settings, warn):
    """Log, at every step that was shown, the mean over the faces of both losses and of both gradients' lengths.

    folder : of the log, whose earlier curves are replaced; budgets : of each face, {"step" or name: a list of values}
    warn : function of a message, called if TensorBoard is not installed
    """
    journal, by_step = Journal(folder, 0, warn), {}
    journal.text("settings", 0, f"```\n{json.dumps(settings, indent=2)}\n```")
    for budget in budgets:
        names = [name for name in budget if name != "step"]
        for step, *values in zip(budget["step"], *(budget[name] for name in names)):
            by_step.setdefault(step, []).append(values)
    for step, values in sorted(by_step.items()):
        journal.scalars(step, dict(zip(names, np.mean(values, axis=0))))
    journal.flush()
