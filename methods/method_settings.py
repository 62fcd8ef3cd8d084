"""How holes are filled, as values that travel to other processes and machines."""
import dataclasses
import os

from completion.recipes import CALIBRATED, PHOTO_DETAIL, Recipe
from dataset.listing import fingerprint_folder
from models import LEARNED
from training.manifest import describe_model


@dataclasses.dataclass(frozen=True)
class SearchSettings:
    """What the latent search has beside its model.

    recipe : how a face is searched
    model : the kind whose latent is searched, "dcgan" or one of models.SEARCHED
    encoder : folder of the latent encoder, for recipes that search activations
    likely : folder of the network that knows what is likely, for recipes with less than all detail
    interval : updates between the steps that are shown
    completions : answers a face, by their context loss: of searches of their own, scattered about what the encoder
        sees, or without an encoder of the best of its searches
    strategy : on how many devices, "one", "mirrored" for all of this machine, "auto"
    """
    recipe: Recipe
    model: str = "dcgan"
    encoder: str | None = None
    likely: str | None = None
    interval: int = 50
    completions: int = 1
    strategy: str = "auto"


@dataclasses.dataclass(frozen=True)
class ExportedSettings:
    """The latent method's answer without updates, out of a file of completion.export.

    file : ONNX; digest : by which its content is known again; image_size : of its faces
    blend, detail : as completion.recipes.Recipe has them
    """
    file: str
    digest: str
    image_size: int
    blend: str
    detail: float


@dataclasses.dataclass(frozen=True)
class MethodSettings:
    """One way to fill holes.

    name : "latent", or a name of methods.CLASSICAL or models.LEARNED
    checkpoint : folder of the model, of one save where a run may make new ones; None for classical methods
    train_faces : folder of aligned faces, for methods.NEED_FACES
    seed : decides pools of starts; batch_size : faces at a time, at most; device : "auto", "cpu" or "gpu"
    filled_by : folder of the network that fills the holes for a latent encoder measured alone, else None
    search : of the latent search, else None; exported : of the latent method that onnxruntime computes, else None
    """
    name: str
    checkpoint: str | None = None
    train_faces: str | None = None
    seed: int = 0
    batch_size: int = 64
    device: str = "auto"
    filled_by: str | None = None
    search: SearchSettings | None = None
    exported: ExportedSettings | None = None

    @property
    def steps(self):
        """How many steps a face takes."""
        return self.search.recipe.num_iter if self.search else 1

    @property
    def has_network(self):
        """Whether a network computes it."""
        return self.name == "latent" or self.name in LEARNED

    @property
    def likely(self):
        """Folder of the network that knows what is likely, or None where nothing asks it."""
        return self.search.likely if self.search else self.filled_by

    @property
    def says_how_sure(self):
        """Whether its several answers make intervals of which metrics.conformal knows what they cover."""
        if not self.search or self.search.recipe.detail not in (CALIBRATED.detail, PHOTO_DETAIL):
            return False
        return dataclasses.replace(self.search.recipe, detail=CALIBRATED.detail) == CALIBRATED

    def for_photos(self):
        """The same with more detail where a network knows what is likely: photos are looked at more than measured."""
        def raised(part):
            return dataclasses.replace(part, detail=max(part.detail, PHOTO_DETAIL))
        if self.exported:
            return dataclasses.replace(self, exported=raised(self.exported))
        search = self.search and dataclasses.replace(self.search, recipe=raised(self.search.recipe))
        return dataclasses.replace(self, search=search)

    def describe(self):
        """What decides a face's result, as a JSON record. Raises UsageError (exit code 4) if there is no such model."""
        if self.exported:
            record = dataclasses.asdict(self.exported)
            return {"checkpoint": record.pop("file"), "onnx": record.pop("digest"), **record}
        if not self.has_network:
            return {"train_faces": fingerprint_folder(self.train_faces)} if self.train_faces else {}
        record = {"checkpoint": self.checkpoint, **describe_model(self.checkpoint)}
        if self.search:
            record |= {"recipe": dataclasses.asdict(self.search.recipe), "completions": self.search.completions,
                       "out_interval": self.search.interval,
                       "encoder": self.search.encoder and describe_model(self.search.encoder)["model"]}
        if self.search or self.likely:
            record["likely"] = self.likely and describe_model(self.likely)["model"]
        return record

    def models(self):
        """{folder: digest} of the models that it needs."""
        folders = (self.checkpoint, self.search and self.search.encoder, self.likely)
        return {folder: describe_model(folder)["model"] for folder in folders if folder and self.has_network}

    def for_trial(self):
        """The same for a machine where it is only to be seen whether its networks can be loaded."""
        search = self.search and dataclasses.replace(self.search, strategy="one")
        device = "auto" if self.device == "gpu" else self.device
        return dataclasses.replace(self, batch_size=1, device=device, search=search)

    def absolute(self):
        """The same with folders that other working directories understand."""
        def full(folder):
            return folder and os.path.abspath(folder)
        search = self.search and dataclasses.replace(self.search, encoder=full(self.search.encoder),
                                                     likely=full(self.search.likely))
        return dataclasses.replace(self, checkpoint=full(self.checkpoint), filled_by=full(self.filled_by),
                                   train_faces=full(self.train_faces), search=search)
