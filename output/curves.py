"""The course of all searches for TensorBoard."""
import json

import numpy as np

from training.journal import Journal

from .completed_folder import BUDGET


def write_curves(folder, finished, settings, warn):
    """Log, at every step that was shown, the mean over the faces of both losses and of both gradients' lengths.

    folder : of the log, whose earlier curves are replaced; finished : records of faces with their `budget`
    warn : function of a message, called if TensorBoard is not installed
    """
    journal, by_step = Journal(folder, 0, warn), {}
    journal.text("settings", f"```\n{json.dumps(settings, indent=2)}\n```")
    for budget in (face["budget"] for face in finished):
        for step, *values in zip(budget["step"], *(budget[name] for name in BUDGET)):
            by_step.setdefault(step, []).append(values)
    for step, values in sorted(by_step.items()):
        journal.scalars(step, dict(zip(BUDGET, np.mean(values, axis=0))))
    journal.flush()
