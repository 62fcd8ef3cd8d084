"""Damage finder: a small fully convolutional network that says of every pixel of a photo whether it is damaged.

A U-Net (Ronneberger et al., MICCAI 2015) with dilated convolutions at its bottom (Yu and Koltun, ICLR 2016), trained on
photos on which completion.drawn_damage draws. It learns the cross-entropy of the pixels and the Jaccard distance of the
batch (Rahman and Wang, ISVC 2016), for what counts is the overlap.
"""
import dataclasses
from functools import partial

import numpy as np
from PIL import Image

from completion.drawn_damage import make_example
from helpers import to_float, to_uint8
from nn.choices import Schedule
from nn.layers import BatchNorm, convolve, variable
from nn.learner import Learner
from nn.setup import tf, traced

STRIDE = 8                                              # pixels of a photo to a place of the smallest maps
DILATIONS = 1, 2, 4
AROUND, CONTRAST = 15, 4                                # side of what is around a pixel; how much differences count
SIDE = 128                                              # of the examples
CLOSEST = 0.4                                           # share of a picture's side that an example shows at least
SHOWN = 0.5                                             # probability that counts as found


@dataclasses.dataclass(frozen=True)
class Architecture:
    """image_size : side of the pictures from which examples are cut; ff_dim : filters of the outermost layers"""
    image_size: int = 256
    ff_dim: int = 24


class Layer(tf.Module):
    """Convolution with batch norm and ReLU; its first weights are those of He et al., ICCV 2015."""

    def __init__(self, seed, side, into, out):
        super().__init__("layer")
        deviation = (2 / (side * side * into)) ** 0.5
        self.kernel = variable(tf.random.stateless_normal((side, side, into, out), seed, stddev=deviation), "kernel")
        self.norm = BatchNorm(out)

    def __call__(self, x, training, **how):
        return tf.nn.relu(self.norm.after(partial(convolve, **how), x, self.kernel, training, axis=3))


class Finder(tf.Module):
    """Photos (B, H, W, 3) float32 in [-1, 1], whose sides are multiples of STRIDE -> logits (B, H, W) of damage.

    2x2 pixels are one place, so that the outermost layers cost a quarter. Beside the colors it sees how they differ
    from those around, for damage may be faint.
    """

    def __init__(self, width, seed=0):
        super().__init__("finder")
        one, two, three = width, 2 * width, 3 * width
        sizes = {"outer": (3, 24, one), "outer_too": (3, one, one), "middle": (3, one, two),
                 "middle_too": (3, two, two), "inner": (3, two, three),
                 **{f"wide_{dilation}": (3, three, three) for dilation in DILATIONS},
                 "to_middle": (1, three, two), "at_middle": (3, two, two), "to_outer": (1, two, one),
                 "at_outer": (3, one, one)}
        self.layers = {name: Layer((seed, number), *size) for number, (name, size) in enumerate(sizes.items())}
        self.last, self.bias = variable(tf.zeros((3, 3, one, 4)), "last"), variable(tf.fill((4,), -3.0), "bias")

    def __call__(self, photos, training=False):
        def layer(name, x, **how):
            return self.layers[name](x, training, **how)
        around = tf.nn.avg_pool2d(photos, AROUND, 1, "SAME")
        seen = tf.concat((photos, tf.tanh(CONTRAST * (photos - around))), axis=3)
        outer = layer("outer_too", layer("outer", tf.nn.space_to_depth(seen, 2)))
        middle = layer("middle_too", layer("middle", outer, stride=2))
        inner = layer("inner", middle, stride=2)
        for dilation in DILATIONS:
            inner += layer(f"wide_{dilation}", inner, dilation=dilation)
        middle = layer("at_middle", middle + _double(layer("to_middle", inner)))
        outer = layer("at_outer", outer + _double(layer("to_outer", middle)))
        return tf.nn.depth_to_space(convolve(outer, self.last) + self.bias, 2)[..., 0]


def _double(x):
    return tf.image.resize(x, 2 * tf.shape(x)[1:3], "nearest")


class DamagedPhotos:
    """Examples made of pictures, each always the same: len(), .shape (N, S, S, 4), and uint8 rows: RGB and the truth.

    pictures : (N, side, side, 3) uint8 or a Pack; seed : with the row's number decides the example
    """

    def __init__(self, pictures, seed):
        self.shape, self._pictures, self._seed = (len(pictures), SIDE, SIDE, 4), pictures, seed

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        numbers = np.arange(*rows.indices(len(self))) if isinstance(rows, slice) else rows
        return np.stack([self._example(picture, np.random.default_rng((self._seed, number)))
                         for number, picture in zip(numbers, self._pictures[rows])])

    def _example(self, picture, rng):
        side = len(picture) * np.exp(rng.uniform(np.log(CLOSEST), 0))
        left, top = rng.uniform(0, len(picture) - side, 2)
        part = Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.BICUBIC,
                                               (left, top, left + side, top + side))
        damaged, hole = make_example(np.asarray(part), rng)
        return np.concatenate((damaged, np.where(hole, 255, 0).astype(np.uint8)[..., None]), axis=2)


class DamageFinder(Learner):
    """The network, and how it learns."""
    kind, architecture_type, training_type = "damage", Architecture, Schedule
    main, examined, optional = "finder", "own", ("image_size",)         # any, for it is convolutional

    def __init__(self, architecture=Architecture(), seed=0):
        self.architecture, self.seed = architecture, seed
        self.finder = Finder(architecture.ff_dim, seed)
        self._find = traced(lambda photos: tf.sigmoid(self.finder(photos)))

    def probability(self, pixels):
        """Of every pixel of a photo (H, W, 3) uint8 how likely it is damaged, (H, W) float32."""
        height, width = pixels.shape[:2]
        beyond = [(0, -side % STRIDE) for side in (height, width)]
        padded = np.pad(to_float(pixels), (*beyond, (0, 0)), "edge")
        return self._find(padded[None])[0, :height, :width].numpy()

    def annotate(self, faces, folder, console):
        """The DamagedPhotos of pictures."""
        return DamagedPhotos(faces, self.seed)

    def losses(self, examples, step):
        """By examples (B, S, S, 4) in [-1, 1], RGB, and 1 where they are damaged.

        cross_entropy_loss, the mean over the pixels; jaccard_loss, 1 - the overlap of what is found and what is there
        over their union.
        """
        truth, logits = tf.cast(examples[..., 3] > 0, tf.float32), self.finder(examples[..., :3], training=True)
        found = tf.sigmoid(logits)
        overlap, union = tf.reduce_sum(found * truth), tf.reduce_sum(found + truth - found * truth)
        entropy = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=truth, logits=logits))
        jaccard = 1 - (overlap + 1) / (union + 1)
        return entropy + jaccard, {"cross_entropy_loss": entropy, "jaccard_loss": jaccard}

    def examine(self, faces):
        """How well it finds damage in examples of pictures (N, S, S, 3) in [-1, 1].

        Returns iou, the mean over the damaged ones of overlap over union; error, what that lacks to 1; false_alarms,
        the share of undamaged pixels that are taken for damaged.
        """
        examples = DamagedPhotos(to_uint8(faces), self.seed)[:]
        truth = examples[..., 3] > 0
        found = np.stack([self.probability(photo) > SHOWN for photo in examples[..., :3]])
        overlap, union = ((found & truth).sum((1, 2)), (found | truth).sum((1, 2)))
        iou = float(np.mean((overlap / np.maximum(union, 1))[truth.any((1, 2))]))
        return {"iou": iou, "error": 1 - iou, "false_alarms": float(found[~truth].mean())}

    def samples(self, faces):
        """Pictures as examples, and the same with what is found white: rows of both, and of the truth."""
        examples = DamagedPhotos(to_uint8(faces), self.seed)[:]
        pixels, truth = examples[..., :3], examples[..., 3] > 0
        found = np.stack([self.probability(photo) > SHOWN for photo in pixels])
        rows = pixels, *(np.where(hole[..., None], 255, pixels // 2) for hole in (found, truth))
        return to_float(np.concatenate(rows))
