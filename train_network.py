"""Train the DCGAN on a folder of aligned faces.

python train_network.py --dataset processed-data/train/ --epoch 25 --batch_size 300
"""
import dataclasses
import json
import shlex
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np

import helpers
import records
from command_line import Parser, Progress, StopRequest, claim_folder, command, number, say, warn, whole_number
from helpers import UsageError
from training.cluster import this_worker
from training.description import check_model_folder

LOSSES = "cross_entropy", "hinge", "least_squares", "wasserstein"
PENALTIES = "none", "r1", "wgan_gp"
AUGMENTATIONS = "color", "translation", "cutout"
PRECISIONS = "float32", "bfloat16"
PRESETS = {
    "report": {},
    "best": {"batch_size": 64, "epoch": 97, "learning_rate": 0.0002, "average": 0.999, "real_label": 0.9, "noise": 0.1,
             "decay": 0.3},
}


def parse(argv=None):
    """The command line as a namespace; a preset's settings stand wherever the command line has none."""
    parser = make_parser()
    options = parser.parse_args(argv)
    parser.set_defaults(**PRESETS[options.preset])
    options = parser.parse_args(argv)
    options.augment = " ".join(options.augment)
    return options


def make_parser():
    """The options; the defaults are the report's."""
    parser = Parser("Train the DCGAN on aligned faces. The same command again goes on where it stopped.")
    add_data(parser.add_argument_group("faces"))
    add_run(parser.add_argument_group("run"))
    add_networks(parser.add_argument_group("networks"))
    add_updates(parser.add_argument_group("updates (the defaults are the report's)"))
    return parser


def add_data(data):
    """Options that say which faces to train on."""
    data.add_argument("--dataset", required=True, metavar="DIR",
                      help="folder of aligned faces to train on, or a pack of preprocess.pack_dataset")
    data.add_argument("--validation", metavar="DIR", help="folder of faces of other people; every epoch the run is "
                      "examined on them, and the model that completes them best is kept in best/")
    data.add_argument("--strict", action="store_true", help="refuse a data set with unreadable files")
    data.add_argument("--no-flip", dest="flip", action="store_false", help="do not mirror faces at random")


def add_run(run):
    """Options that say for how long, where, and what to keep."""
    run.add_argument("--preset", choices=list(PRESETS), default="report",
                     help="settings to start from, the report's or those that measured best; options given besides win")
    run.add_argument("--epoch", type=whole_number(1), default=25, metavar="N", help="passes over the faces")
    run.add_argument("--batch_size", type=whole_number(1), default=300, metavar="N", help="faces an update")
    run.add_argument("--seed", type=whole_number(), default=0, metavar="N", help="decides weights, noise and order")
    run.add_argument("--run", default="dcgan", metavar="NAME", help="name of the run's folders")
    run.add_argument("--checkpoint_dir", default="checkpoint", metavar="DIR", help="saves go to DIR/NAME")
    run.add_argument("--log_dir", default="logs", metavar="DIR", help="curves and samples go to DIR/NAME")
    run.add_argument("--save_every", type=whole_number(1), default=500, metavar="STEPS", help="updates between saves")
    run.add_argument("--sample_every", type=whole_number(1), default=250, metavar="STEPS",
                     help="updates between sheets of samples")
    run.add_argument("--report_every", type=whole_number(1), default=10, metavar="STEPS",
                     help="updates between points of the curves")
    run.add_argument("--keep", type=whole_number(1), default=3, metavar="N", help="saves to keep")
    run.add_argument("--resume_from", type=whole_number(), metavar="STEP",
                     help="go on from the save of this step instead of the newest; what came after it is dropped")
    run.add_argument("--export", metavar="DIR", help="at the end, write a model folder without the optimizers")
    run.add_argument("--other_data", action="store_true", help="go on with a run although the faces have changed")
    run.add_argument("--device", choices=("auto", "cpu", "gpu"), default="auto", help="where to train")
    run.add_argument("--strategy", choices=("auto", "one", "mirrored", "multi_worker"), default="auto",
                     help="one device, all of this machine, or those of all machines that TF_CONFIG names; auto takes "
                     "all there are")
    run.add_argument("--xla", action="store_true", help="compile the update by XLA, for a GPU; it draws other "
                     "random numbers")


def add_networks(sizes):
    """Options that say what the networks are."""
    sizes.add_argument("--image_size", type=int, choices=(64, 128), default=64, help="side of a face in pixels")
    sizes.add_argument("--z_dim", type=whole_number(1), default=100, metavar="N", help="length of z")
    sizes.add_argument("--gf_dim", type=whole_number(1), default=16, metavar="N", help="filters of G's last layer")
    sizes.add_argument("--df_dim", type=whole_number(1), default=16, metavar="N", help="filters of D's first layer")
    sizes.add_argument("--d_norm", choices=("batch", "none", "spectral"), default="batch",
                       help="what normalizes D's layers")


def add_updates(how):
    """Options that say how the networks are updated."""
    how.add_argument("--learning_rate", type=number(above=0), default=0.0003, metavar="RATE", help="of both Adams")
    how.add_argument("--d_learning_rate", type=number(0), default=0.0, metavar="RATE",
                     help="of D's Adam; 0 for the same as G's")
    how.add_argument("--beta1", type=number(0, 0.999), default=0.5, metavar="B", help="of both Adams")
    how.add_argument("--decay", type=number(0, 1), default=0.0, metavar="SHARE",
                     help="share of the run, at its end, in which the learning rate falls to 0")
    how.add_argument("--g_updates", type=whole_number(1), default=1, metavar="N", help="updates of G for one of D")
    how.add_argument("--average", type=number(0, 0.99999), default=0.0, metavar="DECAY",
                     help="sample and save an exponential average of G's weights, such as 0.999")
    how.add_argument("--real_label", type=number(0.5, 1), default=1.0, metavar="P", help="target of D on real faces")
    how.add_argument("--noise", type=number(0), default=0.0, metavar="DEVIATION",
                     help="Gaussian noise on D's inputs, falling to 0 over the run")
    how.add_argument("--loss", choices=LOSSES, default="cross_entropy", help="what D and G minimize")
    how.add_argument("--penalty", choices=PENALTIES, default="none", help="penalty of D's slope")
    how.add_argument("--penalty_weight", type=number(0), default=1.0, metavar="W", help="its factor")
    how.add_argument("--penalty_every", type=whole_number(1), default=1, metavar="STEPS",
                     help="updates from one penalty to the next, which is as much heavier")
    how.add_argument("--augment", nargs="+", choices=AUGMENTATIONS, default=[],
                     help="random changes of real and generated faces before D sees them, for small data sets")
    how.add_argument("--precision", choices=PRECISIONS, default="float32", help="what the convolutions compute in; "
                     "bfloat16 is faster where the processor or GPU has it")


@command
def main(argv=None):
    """Run the command; returns its exit code."""
    options, worker = parse(argv), this_worker()
    saves, log = Path(options.checkpoint_dir, options.run), Path(options.log_dir, options.run)
    check_folders(saves, log, options)
    with ExitStack() as held:
        for folder in (saves, log) if worker.is_chief else ():
            held.enter_context(claim_folder(folder))
        stop = held.enter_context(StopRequest())
        faces = read_faces(options.dataset, options)
        validation = read_faces(options.validation, options) if options.validation else None
        if len(faces) < options.batch_size:
            warn(f"only {len(faces)} faces: training in batches of {len(faces)}")
            options.batch_size = len(faces)
        strategy, dcgan, store, record = build(faces, saves, options)
        first = resume(store, record, options, worker)
        step = train(strategy, dcgan, faces, validation, store, record, first, log, options, worker, stop)
        if options.export and worker.is_chief:
            from training.checkpoint import export
            export(dcgan, options.export, record | {"step": step})
        say(f"trained {step} steps; saves in {saves}, curves and samples in {log}")


def check_folders(saves, log, options):
    """Raise UsageError before any work if a folder of the run cannot be what it is meant to be."""
    if (saves / "manifest.json").exists() or Path(__file__).with_name("checkpoint").joinpath(
            options.run, "manifest.json").exists():
        raise UsageError(f"{options.run} is the name of a shipped model: choose another --run")
    if saves.resolve() == log.resolve():
        raise UsageError(f"saves and curves would both go to {saves}: name different --checkpoint_dir and --log_dir")
    if options.export:
        check_model_folder(options.export)


def build(faces, saves, options):
    """The devices, the networks ready to be trained, the store of their saves, and what decides the run."""
    import network
    from dataset.folder import fingerprint
    from training import checkpoint, devices

    architecture = settings(network.Architecture, options)
    devices.use_device(options.device)
    strategy = devices.make_strategy(options.strategy)
    devices.check_memory(devices.share(options.batch_size, strategy), architecture)
    training = settings(network.Training, options, steps=options.epoch * (len(faces) // options.batch_size))
    with strategy.scope():
        dcgan = network.DCGAN(architecture, options.seed)
        dcgan.prepare_training(training)
    record = {"architecture": dataclasses.asdict(architecture), "training": dataclasses.asdict(training),
              "batch_size": options.batch_size, "flip": options.flip, "seed": options.seed,
              "data": fingerprint(faces), "faces": len(faces)}
    parts = {"generator": dcgan.generator, "discriminator": dcgan.discriminator,
             "g_optimizer": dcgan.g_optimizer, "d_optimizer": dcgan.d_optimizer}
    parts |= {"average": dcgan.average} if dcgan.average else {}
    return strategy, dcgan, checkpoint.Checkpoint(saves, parts, options.keep), record


def train(strategy, dcgan, faces, validation, store, record, first, log, options, worker, stop):
    """The training loop, from step `first` to the end of the last epoch or to a stop; returns the last step.

    All workers compute the updates; the chief alone examines, logs and saves.
    """
    from adversarial import REAL_ABOVE
    from dataset.stream import batches
    from training.devices import check_agreement, distribute, replicate, watch_workers
    from training.health import Health, diagnose
    from training.journal import Journal

    def stream(*replicas):
        return batches(faces, batch_size=batch_size, epochs=options.epoch, seed=options.seed, first_step=first,
                       flip=options.flip, replicas=replicas)

    def sample():
        journal.samples(step, helpers.tile(helpers.to_uint8(dcgan.generate(fixed_z))))

    check_agreement(strategy, first)
    step, batch_size, last = first, options.batch_size, dcgan.training.steps
    per_epoch, fixed_z, update = len(faces) // batch_size, dcgan.latents(64, -1), replicate(
        dcgan.train_step, strategy, options.xla)
    if worker.is_chief:
        health = validation is not None and Health(dcgan, faces, validation, REAL_ABOVE.get(dcgan.training.loss))
        journal = Journal(log, first, warn)
        if step == 0:
            journal.text("options", f"`{shlex.join(sys.argv)}`\n\n```\n{json.dumps(record, indent=2)}\n```")
            sample()
    with Progress(last * batch_size, "faces", first * batch_size) as progress, watch_workers():
        reported, clock = first, time.monotonic()
        for batch in distribute(strategy, stream):
            found = update(batch, step)
            step += 1
            due = step % options.save_every == 0 or step == last
            if step % options.report_every == 0 or due:
                losses = {name: float(value) for name, value in found.items()}
                check_finite(losses.values(), step, store.folder)
            if not worker.is_chief:
                stop.check()
                continue
            if step % options.report_every == 0:
                speed = (step - reported) * batch_size / (time.monotonic() - clock)
                progress.update((step - reported) * batch_size, epoch=f"{step / per_epoch:.2f}",
                                d_loss=f"{losses['d_loss']:.3f}", g_loss=f"{losses['g_loss']:.3f}")
                journal.scalars(step, losses | {"faces_per_second": speed})
                reported, clock = step, time.monotonic()
            if health and step % per_epoch == 0:
                numbers = health()
                journal.scalars(step, numbers)
                keep_best(dcgan, store.folder / "best", record | {"step": step, "scores": numbers})
                if trouble := diagnose(numbers):
                    warn(f"step {step}: {trouble}")
            if step % options.sample_every == 0 or step == last:
                sample()
            if due or stop:                             # asked now: the signal may have come during the examination
                check_finite(dcgan.generator.variables + dcgan.discriminator.variables, step, store.folder)
                journal.flush()
                store.save(step, epoch=step // per_epoch, **record)
                stop.check()
    return step


def read_faces(folder, options):
    """The faces of a folder or pack, (N, S, S, 3) uint8; tells of what was left out."""
    from dataset.folder import open_faces
    faces, failures = open_faces(folder, options.image_size)
    for path, problem in failures[:10]:
        warn(f"{path}: {problem}")
    if failures:
        if options.strict:
            raise UsageError(f"{len(failures)} unusable files in {folder} (--strict)", helpers.SOME_FAILED)
        warn(f"{len(failures)} unusable files in {folder} were left out")
    if not len(faces):
        raise UsageError(f"no images found in {folder}", helpers.NO_INPUT)
    return faces


def settings(kind, options, **others):
    """An instance of a settings class from the options of the same names."""
    names = {field.name for field in dataclasses.fields(kind)} - others.keys()
    return kind(**{name: getattr(options, name) for name in names}, **others)


def resume(store, record, options, worker):
    """Load the newest good save, if there is one, and return the step to go on from."""
    import network
    from training.checkpoint import differences
    manifest, save, troubles = store.newest(options.resume_from)
    for trouble in troubles:
        warn(f"{trouble}: falling back to the save before it")
    if worker.is_chief:
        store.sweep()
    if manifest is None:
        return 0
    for name, kind in (("architecture", network.Architecture), ("training", network.Training)):
        manifest[name] = dataclasses.asdict(kind(**manifest[name]))     # an older save lacks the newer settings
    if changed := differences(manifest["architecture"], record["architecture"]):
        raise UsageError(f"{save} has another architecture: {changed}; choose another --run", helpers.BAD_CHECKPOINT)
    if manifest["data"] != record["data"] and not options.other_data:
        raise UsageError(f"{save} was trained on {manifest['faces']} other faces than the {record['faces']} of "
                         f"{options.dataset}: choose another --run, or insist with --other_data",
                         helpers.BAD_CHECKPOINT)
    if bool(manifest["training"]["average"]) != bool(record["training"]["average"]):
        raise UsageError(f"{save} was trained with --average {manifest['training']['average']}: ask for the same, or "
                         "choose another --run", helpers.BAD_CHECKPOINT)
    for name in ("training", "batch_size", "flip", "seed"):
        old, new = (value if isinstance(value, dict) else {name: value} for value in (manifest[name], record[name]))
        if changed := differences(old, new):
            warn(f"going on with other settings than before: {changed}")
    store.restore(save)
    say(f"going on from {save}")
    return manifest["step"]


def keep_best(dcgan, folder, record):
    """Write the model into `folder` if it completes faces better, by SSIM in the hole, than the one that lies there."""
    from training.checkpoint import export
    best = records.read_json(folder / "manifest.json").get("scores", {})
    if record["scores"]["hole_ssim"] > best.get("hole_ssim", -1):
        export(dcgan, folder, record)


def check_finite(values, step, saves):
    """Raise UsageError (exit code 6) if a number or weight is NaN or infinite."""
    if not all(np.isfinite(value).all() for value in values):
        raise UsageError(f"step {step}: a loss or weight is no longer finite; the saves in {saves} are untouched, "
                         "go on from there with a smaller --learning_rate", helpers.NOT_FINITE)


if __name__ == "__main__":
    sys.exit(main())
