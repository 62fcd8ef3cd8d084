"""The latent method's answer without updates as one function of TensorFlow, written for other runtimes."""
import logging

from helpers import BAD_CHECKPOINT, UsageError, write_file
from nn.layers import mean_with_mirror_image
from nn.setup import tf, traced
from training import checkpoint, devices
from training.manifest import LIKELY, is_model, likely_of, locate

from .latent_search import load_encoder, load_likely
from .libraries import need
from .method_options import ENCODER, beside

OPSET = 17                                              # of ONNX, which onnxruntime reads from 1.12 on


class Answer(tf.Module):
    """faces (B, S, S, 3) float32 in [-1, 1], known (B, S, S) bool -> {output: such faces}, not yet blended.

    lifelike : the mean of the generator's faces that the encoder sees in a face and in its mirror image
    likely : the most likely ones, of a models.posterior_mean.PosteriorMean, if there is one
    """

    def __init__(self, encoder, likely=None):
        super().__init__("answer")
        self.encoder, self.likely, self.side = encoder, likely, encoder.architecture.image_size
        self.networks = [network for model in (encoder, likely) if model for network in model.shipped.values()]
        self.outputs = ["lifelike"] + ["likely"] * (likely is not None)

    @property
    def inputs(self):
        """What it takes, as TensorSpecs."""
        square = None, self.side, self.side
        return [tf.TensorSpec((*square, 3), tf.float32, "faces"), tf.TensorSpec(square, tf.bool, "known")]

    def __call__(self, faces, known):
        faces = tf.where(known[..., None], faces, 0)    # nothing looks under the hole
        likely = {"likely": self.likely.guess(faces, known)} if self.likely else {}
        seen = tf.where(known[..., None], faces, likely["likely"]) if self.encoder.likely else faces
        return {"lifelike": mean_with_mirror_image(self._see, seen, known)} | likely

    def _see(self, faces, known):
        return self.encoder.decode(self.encoder.encode(faces, known))


def load_answer(folder, warn=lambda text: None):
    """The Answer of the DCGAN in a folder and of what lies beside it.

    warn : as training.manifest.find_model takes it
    Raises UsageError (exit code 4) if there is no DCGAN or no encoder, or if one of the networks is of another.
    """
    devices.use_device("cpu")
    dcgan, _ = checkpoint.load_model(folder, warn=warn)
    if not locate(place := beside(folder, ENCODER)).exists():
        raise UsageError(f"{folder} has no latent encoder, without which there is nothing to export: train one for it, "
                         f"by python -m models.train latent_encoder --generator {folder} ... --export {place}",
                         BAD_CHECKPOINT)
    encoder, place = load_encoder(place, dcgan), beside(folder, LIKELY)
    place = likely_of(beside(folder, ENCODER), place) or place
    likely = load_likely(place, dcgan) if is_model(place) else None
    encoder.use_likely(likely, place)
    return Answer(encoder, likely)


def write_onnx(answer, path):
    """Write an Answer as an ONNX file, whole or not at all.

    Raises UsageError if tf2onnx is missing, or (exit code 5) if the file cannot be written.
    """
    convert = need("tf2onnx", "completion.export", "tf2onnx", "requirements-onnx.txt").convert
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    model, _ = convert.from_function(traced(answer.__call__), answer.inputs, opset=OPSET)
    _name_by_place(model.graph)
    write_file(path, model.SerializeToString())


def _name_by_place(graph):
    """Name all inside an ONNX graph by its place, where tf2onnx counts on: equal networks are equal files."""
    kept = {value.name for value in (*graph.input, *graph.output)}
    used = dict.fromkeys(name for node in graph.node for name in (*node.input, *node.output))
    names = {name: name if name in kept or not name else f"value {place}" for place, name in enumerate(used)}
    order = {name: place for place, name in enumerate(used)}
    graph.initializer.sort(key=lambda tensor: order[tensor.name])
    for tensor in graph.initializer:
        tensor.name = names[tensor.name]
    for place, node in enumerate(graph.node):
        node.name = f"{node.op_type} {place}"
        node.input[:], node.output[:] = ([names[name] for name in part] for part in (node.input, node.output))
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "count"
    del graph.value_info[:]                             # shapes, which runtimes infer
    graph.doc_string = ""


def write_saved_model(answer, folder):
    """Write an Answer as a SavedModel in a new folder, whole or not at all; UsageError (exit code 5)."""
    checkpoint.write_function(answer, traced(answer.__call__, input_signature=answer.inputs), folder)
