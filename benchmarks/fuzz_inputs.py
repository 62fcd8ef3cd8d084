"""What `benchmarks.fuzz` breaks: whole files of every kind that the toolkit reads, and how it reads them.

A kind is (whole files, read): `whole(folder)` gives the contents, bytes, of small good files, and `read(content,
folder)` does with one of them what the commands do. It may raise BadPhoto or UsageError, and nothing else.
"""
import io
import json
import os

import numpy as np
from PIL import Image, ImageCms

from completion.mask_files import read_mask
from completion.points import read_points_file
from dataset.splits import split_by_partition
from dataset.store import DESCRIPTION, Pack, write_pack
from evaluation.evaluated_folder import ORIGINAL, DescriptorFiles, EvaluatedFolder, picture_of
from evaluation.tables import read_measured
from helpers import file_sha256, read_json, write_picture
from metrics.intervals import mean_interval
from output.completed_folder import CompletedFolder
from output.overview import SHOWS, Overview
from output.photo_file import choose_encoding, encode
from pictures.photo import read_photo
from shell.sources import find_inputs, read_list
from training.manifest import MANIFEST, ROOT, describe_model, manifest_digest

PORTRAIT = ROOT / "samples" / "A000369.jpg"
SIDE = 24
RECORD = {"name": "a", "source": "a.png", "status": "done", "stamp": [1, 2], "files": {"completed.png": 3},
          "settings": "0", "hole_psnr": 20.5, "hole_ssim": None, "completions": [{"context_loss": 1.0}],
          "further_faces": [{"name": "a/face_2", "hole_psnr": 1.5}], "notes": ["resized"]}
MEASURED = {"face": "a", "mask": "center", "method": "laplace", "fingerprint": [1, 2], "hole_psnr": 20.5,
            "hole_ssim": 0.5, "seconds": 0.1}


def portrait():
    """A small portrait as a Pillow image."""
    return Image.open(PORTRAIT).convert("RGB").crop((100, 100, 340, 340)).resize((SIDE, SIDE))


def saved(image, format, **options):
    """The bytes of a Pillow image as a file."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def pngs(_):
    """Of every mode, with profile, EXIF and texts."""
    face, profile = portrait(), ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    deep = Image.fromarray(np.asarray(face.convert("L")).astype(np.uint16) * 257)
    palette = saved(face.quantize(16), "PNG", transparency=3)
    return [saved(face.convert(mode), "PNG") for mode in ("RGB", "L", "1", "RGBA", "LA")] + [
        saved(deep, "PNG", transparency=7), palette, saved(face, "PNG", icc_profile=profile, exif=exif(), dpi=(72, 72))]


def exif():
    """A block that turns the picture, and says more of it."""
    block = Image.Exif()
    block[274], block[306], block[34665] = 6, "2026:11:28", {36867: "2026:11:28"}
    return block.tobytes()


def jpegs(_):
    """Baseline and progressive, of every mode."""
    face = portrait()
    return [saved(face, "JPEG", quality=80, exif=exif()), saved(face, "JPEG", progressive=True, subsampling=2),
            saved(face.convert("L"), "JPEG"), saved(face.convert("CMYK"), "JPEG")]


def gifs(_):
    """One frame and three."""
    face = portrait().quantize(16)
    return [saved(face, "GIF"), saved(face, "GIF", save_all=True, append_images=[face.rotate(90), face.rotate(180)])]


def tiffs(_):
    """Of every mode and compression, with several pages."""
    face = portrait()
    floats = Image.fromarray(np.asarray(face.convert("L"), np.float32))
    return [saved(face, "TIFF", compression=how) for how in (None, "tiff_lzw", "tiff_adobe_deflate", "jpeg")] + [
        saved(floats, "TIFF"), saved(face.convert("I"), "TIFF"), saved(face.convert("1"), "TIFF", compression="group4"),
        saved(face.convert("CMYK"), "TIFF"), saved(face, "TIFF", save_all=True, append_images=[face.rotate(90)]),
        float_tiff(np.float64), float_tiff(np.float16)]


def float_tiff(kind):
    """A TIFF of grey floats of a kind, written by hand: Pillow writes none but float32."""
    grey = np.asarray(portrait().convert("L"), kind)
    tags = ((256, SIDE), (257, SIDE), (258, grey.itemsize * 8), (259, 1), (262, 1), (273, 134), (277, 1), (278, SIDE),
            (279, grey.nbytes), (339, 3))
    entries = b"".join(np.array([tag, 4], "<u2").tobytes() + np.array([1, value], "<u4").tobytes()
                       for tag, value in tags)
    return b"II*\0\x08\0\0\0" + np.array([len(tags)], "<u2").tobytes() + entries + b"\0\0\0\0" + grey.tobytes()


def webps(_):
    """Lossy, without loss, and moving."""
    face = portrait()
    return [saved(face, "WEBP", exif=exif()), saved(face.convert("RGBA"), "WEBP", lossless=True),
            saved(face, "WEBP", save_all=True, append_images=[face.rotate(90)])]


def bmps(_):
    """BMP of every mode, and PNM."""
    face = portrait()
    return [saved(face.convert(mode), "BMP") for mode in ("RGB", "L", "1", "RGBA")] + [
        saved(face.quantize(16), "BMP"), saved(face, "PPM"), saved(face.convert("L"), "PPM"),
        saved(face.convert("1"), "PPM"), b"P3 2 2 255 1 2 3 4 5 6 7 8 9 10 11 12", b"P2 2 2 255 1 2 3 4"]


def read_picture(content, folder):
    """As face_completion.py --paste_back --format same reads and writes it."""
    photo = read_photo(write(folder / "a", content))
    if photo.pixels.size <= 2**20:
        known = np.ones(photo.pixels.shape[:2], bool)
        known[:2, :2] = False
        encode(photo, known, photo.pixels, choose_encoding(photo, "same"))


def read_hole(content, folder):
    """As --mask does."""
    read_mask(write(folder / "mask", content))


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def records(*of):
    """A whole file of records."""
    return "".join(json.dumps(record) + "\n" for record in of).encode()


def completions(_):
    """Of a completed folder."""
    return [records(RECORD, RECORD | {"name": "b", "status": "failed", "reason": "empty"}), records(RECORD) * 3]


def read_completions(content, folder):
    """As face_completion.py does that goes on."""
    write(folder / "results.jsonl", content)
    done = CompletedFolder(folder, {"mask": None, "mask_type": "center", "method": "latent"})
    done.open({"a": ("a.png", 1, 2), "b": ("b.png", 1, 2)}, overwrite=False)
    done.begin()
    shown = {record["name"]: record for record in done.read_finished(["a", "b"], SHOWS)}
    Overview(folder, ["a", "b"], done.settings, shown).finish(lambda: None)


def measurements(folder):
    """Of an evaluation, whose pictures and descriptors are there."""
    evaluated = EvaluatedFolder(folder, {})
    descriptors = DescriptorFiles(evaluated.path)
    for key in (ORIGINAL, *(("center", method) for method in ("laplace", "telea"))):
        descriptors.append("a", key, np.zeros(128, np.float32))
        write_picture(folder / picture_of("a", *key), np.asarray(portrait()))
    return [records(MEASURED), records(MEASURED, MEASURED | {"method": "telea", "hole_psnr": None})]


def read_measurements(content, folder):
    """As evaluate_completion.py does that goes on."""
    write(folder / "results.jsonl", content)
    write(folder / "config.json", b'{"seed": 0}')
    evaluated = EvaluatedFolder(folder, {"a": (1, 2)})
    evaluated.check_settings({})
    evaluated.find_done()
    for group in read_measured(evaluated, ["center"], ["laplace"]).values():
        for metric in group.columns:
            mean_interval(group.values(metric))


def manifests(folder):
    """Of a model."""
    write(folder / "model" / "tensors.index", b"tensors")
    manifest = {"kind": "dcgan", "architecture": {"image_size": 64, "z_dim": 8, "d_norm": "batch"}, "step": 1,
                "training": {}, "versions": {}, "files": {"tensors.index": file_sha256(folder / "model/tensors.index")}}
    return [json.dumps(manifest).encode()]


def read_manifest(content, folder):
    """As every command that loads a model; the sum that a manifest bears is made right where it still has one."""
    try:
        manifest = json.loads(content)
        content = json.dumps(manifest | {"manifest": manifest_digest(manifest)}).encode()
    except (ValueError, TypeError, AttributeError, RecursionError):
        pass
    write(folder / "model" / MANIFEST, content)
    describe_model(folder / "model")


def packs(folder):
    """The description of a pack."""
    write_pack(folder / "pack", np.zeros((3, 8, 8, 3), np.uint8), shard=2)
    return [json.dumps(read_json(folder / "pack" / DESCRIPTION)).encode()]


def read_pack(content, folder):
    """As training does."""
    write(folder / "pack" / DESCRIPTION, content)
    faces = Pack(folder / "pack", 8)
    faces[:2], faces[np.array([0, len(faces) - 1])]


def shards(folder):
    """A file of faces of a pack."""
    write_pack(folder / "pack", np.zeros((2, 8, 8, 3), np.uint8))
    return [(folder / "pack" / "faces-00000.npy").read_bytes()]


def read_shard(content, folder):
    """As training does; the sum of the broken file is made right."""
    shard = write(folder / "pack" / "faces-00000.npy", content)
    description = {"faces": 2, "image_size": 8, "shard": 4096, "files": {shard.name: file_sha256(shard)},
                   "fingerprint": "0"}
    read_pack(json.dumps(description).encode(), folder)


def lists(_):
    """Of paths, as programs write them."""
    text = "a.png\r\n\r\n../b c.jpg\nabsent/\u00e9.png\n"
    return [text.encode(), text.encode("utf-16"), b"\xef\xbb\xbf" + text.encode(), b"a.png\0b.png\0"]


def read_paths(content, folder):
    """As --from_file does; a list that names a folder would have all of it walked."""
    if not any(map(os.path.isdir, read_list(content))):
        find_inputs([], write(folder / "list", content))


def partitions(_):
    """As CelebA's."""
    return [b"000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n"]


def read_partition(content, _):
    """As split_dataset does."""
    lines = content.decode("utf-8", "replace").splitlines()
    split_by_partition({"000001": "a", "000003": "b"}, lines, dict.fromkeys(("train", "validation", "test")))


def points(_):
    """A table of landmarks."""
    return [b'a.png,10,10,20,10,15,20\r\n"b,c.png",10.5,10,20,10.0,15,20\r\n']


def read_points(content, folder):
    """As --points does."""
    read_points_file(str(write(folder / "points.csv", content)))


PICTURES = {"png": pngs, "jpeg": jpegs, "gif": gifs, "tiff": tiffs, "webp": webps, "bmp": bmps}
KINDS = {kind: (whole, read_picture) for kind, whole in PICTURES.items()} | {
    "mask": (lambda folder: pngs(folder) + gifs(folder), read_hole), "completions": (completions, read_completions),
    "measurements": (measurements, read_measurements), "manifest": (manifests, read_manifest),
    "pack": (packs, read_pack), "shard": (shards, read_shard), "list": (lists, read_paths),
    "partition": (partitions, read_partition), "points": (points, read_points)}
