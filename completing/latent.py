"""The latent search as a method that completes a batch of faces."""
from training import checkpoint, devices                # first, for it imports TensorFlow quietly
from completion.blend import BLENDS
from baselines.learned import model_type
from completion.search import Search
from network import DCGAN

from .methods import Outcome
from .results import BUDGET


def make_search(model, recipe, seed):
    """The search of a model's latent; a DCGAN's discriminator is its prior, the others bring a density."""
    if isinstance(model, DCGAN):
        return Search(model.generate, model.realism, model.architecture.z_dim, recipe, seed)
    return model.make_search(recipe, seed)


class LatentSearch:
    """Searches by a recipe with a trained model and blends what is found into the holes; a method as methods.py has it.

    folder : of the model; recipe : a completion.recipes.Recipe; seed : decides the pool of starts
    interval : updates between the steps that are shown; batch_size : faces at a time, at most
    completions : answers a face, at most the recipe's starts: the faces of so many searches, by their context loss
    device : where to search, "auto", "cpu" or "gpu"; kind : of the model, "dcgan" or one of baselines.SEARCHED
    Raises UsageError if there is no such model or device, or if the batch does not fit into memory.
    """
    unit = "face-iterations"

    def __init__(self, folder, recipe, seed=0, *, interval=None, completions=1, batch_size=1, device="auto",
                 kind="dcgan"):
        devices.use_device(device)
        model, _ = checkpoint.load_model(folder, DCGAN if kind == "dcgan" else model_type(kind))
        devices.check_memory(batch_size * recipe.starts, model.architecture)
        self.search = make_search(model, recipe, seed)
        self.blend, self.interval, self.steps = BLENDS[recipe.blend], interval, recipe.num_iter
        self.completions = completions

    def __call__(self, faces, known, seeds, on_step):
        completed, shown = None, []

        def show(found):
            nonlocal completed
            completed = self.blend(faces, found.guess, known)
            shown.append((found.step, found.context, found.prior, found.context_gradient, found.prior_gradient))
            on_step(found.step, completed, context=f"{found.context.mean():.2f}")

        found = self.search(faces, known, seeds, interval=self.interval, on_step=show, gradients=True)
        ranked = found.guesses.swapaxes(0, 1)[:self.completions] if self.completions > 1 else ()
        return Outcome(completed, [self._record(shown, found.contexts, face) for face in range(len(faces))],
                       [self.blend(faces, guess, known) for guess in ranked])

    def _record(self, shown, contexts, face):
        """How the search of a face went, and at the end of its `budget`, how it ended."""
        steps, *columns = zip(*shown)
        budget = {name: [_short(values[face]) for values in column] for name, column in zip(BUDGET, columns)}
        record = {"iterations": steps[-1], **{name: values[-1] for name, values in budget.items()},
                  "budget": {"step": list(steps), **budget}}
        if self.completions > 1:
            record["completions"] = [{"context_loss": _short(loss)} for loss in contexts[face, :self.completions]]
        return record


def _short(value):
    return float(f"{value:.6g}")
