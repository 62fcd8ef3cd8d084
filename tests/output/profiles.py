"""Colour profiles, made from what they have to say."""
import struct

import numpy as np


def icc(primaries=None, gamma=2.2):
    """A colour profile: of RGB with these primaries, else of grey. Source: ICC.1:2001-04, matrix and grey profiles."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    tags = [(name, b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in xyz))) for name, xyz in
            zip([b"wtpt", b"rXYZ", b"gXYZ", b"bXYZ"], [(0.9642, 1, 0.8249), *(primaries or ())])]
    tags += [(name, curve) for name in ([b"rTRC", b"gTRC", b"bTRC"] if primaries else [b"kTRC"])]
    tags.append((b"desc", b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(79)))
    return as_profile(tags, b"mntr" + (b"RGB " if primaries else b"GRAY") + b"XYZ ")


def as_profile(tags, kind):
    """A colour profile of (name, content) pairs; kind : its class, its colours and those in between."""
    table, content, start = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, value in tags:
        table += name + struct.pack(">2I", start + len(content), len(value))
        content += value + bytes(-len(value) % 4)
    head = bytes(8) + struct.pack(">I", 0x02400000) + kind
    head += struct.pack(">6H", 2026, 11, 1, 0, 0, 0) + b"acsp" + bytes(28) + struct.pack(">3I", 63190, 65536, 54061)
    return struct.pack(">I", start + len(content)) + (head + bytes(128))[4:128] + table + content


def icc_of_inks(depth):
    """A colour profile of CMYK inks, each as a grey of CIELAB that full ink darkens by `depth` of 255 levels.

    Source: ICC.1:2001-04, lut8Type.
    """
    grid = np.indices((2, 2, 2, 2)).reshape(4, -1).sum(axis=0)
    lightness = np.column_stack([np.maximum(255 - depth * grid, 0), *2 * [np.full(16, 128)]]).astype(np.uint8)
    ramp = bytes(range(256))
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + struct.pack(">9i", *(65536 * np.eye(3, dtype=int)).ravel())
    tags = [(b"wtpt", b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)),
            (b"A2B0", table + 4 * ramp + lightness.tobytes() + 3 * ramp),
            (b"desc", b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(79))]
    return as_profile(tags, b"prtrCMYKLab ")
