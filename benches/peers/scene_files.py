"""Scene files of splat in other programs, and their files in splat.

    python benches/peers/scene_files.py --node FOLDER [--convert PROGRAM] [--keep FOLDER]

FOLDER has the npm packages @playcanvas/splat-transform and gsplat (`npm install` there). PROGRAM is
the example `convert` of splat. Prints the greatest difference of each property and ends with exit
code 1 if one is greater than the rounding of the format allows. `--keep` keeps the files of the
other programs.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

import gsply
import numpy as np
from plyfile import PlyData, PlyElement

DEGREE = 3
REST = 3 * ((DEGREE + 1) ** 2 - 1)
NAMES = (
    ["x", "y", "z", "f_dc_0", "f_dc_1", "f_dc_2"]
    + [f"f_rest_{i}" for i in range(REST)]
    + ["opacity", "scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3"]
)
GROUPS = {
    "mean": ["x", "y", "z"],
    "log scale": [f"scale_{i}" for i in range(3)],
    "quaternion": [f"rot_{i}" for i in range(4)],
    "opacity": ["opacity"],
    "degree 0": [f"f_dc_{i}" for i in range(3)],
    "harmonics": [f"f_rest_{i}" for i in range(REST)],
}
# The greatest differences that a format may make, in the order of GROUPS.
# Two readers of the same bytes, which round their numbers to 32 bits. The opacity is compared, not
# its logit.
SAME = [1e-6, 1e-6, 1e-6, 1e-6, 1e-6, 1e-6]
OUR_SPZ = [1e-6, 0.0313, 0.0021, 0.002, 0.0131, 0.0040]
THEIR_SPZ = [1.3e-4, 0.0313, 0.0021, 0.002, 0.0131, 0.067]
COMPRESSED = [0.006, 0.003, 0.003, 0.003, 0.03, 0.0157]

SPLAT_OF_PLY = """
import fs from 'fs';
import path from 'path';
globalThis.Worker = class {{ postMessage() {{}} terminate() {{}} }};
globalThis.window = globalThis;
globalThis.self = globalThis;
const gsplat = await import(path.resolve('node_modules/gsplat/dist/index.es.js'));
const bytes = fs.readFileSync({source!r});
const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
const splat = gsplat.PLYLoader.LoadFromArrayBuffer(buffer, new gsplat.Scene());
fs.writeFileSync({target!r}, splat.data.serialize());
"""


def random_scene(count):
    random = np.random.default_rng(0)
    rows = np.zeros(count, dtype=[(name, "<f4") for name in NAMES])
    for name in GROUPS["mean"]:
        rows[name] = random.normal(0, 2, count)
    for name in GROUPS["degree 0"]:
        rows[name] = random.uniform(-1.7, 1.7, count)
    for name in GROUPS["log scale"]:
        rows[name] = random.uniform(-6, -1, count)
    for name in GROUPS["harmonics"]:
        rows[name] = random.normal(0, 0.2, count).clip(-0.9, 0.9)
    rows["opacity"] = random.normal(0, 2, count)
    quaternions = random.normal(size=(count, 4))
    quaternions /= np.linalg.norm(quaternions, axis=1, keepdims=True)
    for i, name in enumerate(GROUPS["quaternion"]):
        rows[name] = quaternions[:, i]
    return rows


def vertices(path):
    return PlyData.read(path)["vertex"].data


def columns(rows, names):
    return np.stack([rows[name].astype(np.float64) for name in names], axis=1)


def differences(got, expected):
    """Compares Gaussians with those of the nearest mean: a program may reorder them."""
    means, others = columns(got, GROUPS["mean"]), columns(expected, GROUPS["mean"])
    nearest = [int(np.argmin(((others - mean) ** 2).sum(axis=1))) for mean in means]
    assert sorted(nearest) == list(range(len(expected))), "every Gaussian is there once"
    expected = expected[nearest]
    worst = []
    for group, names in GROUPS.items():
        names = [name for name in names if name in got.dtype.names]
        if not names:
            worst.append(0.0)
            continue
        a, b = columns(got, names), columns(expected, names)
        if group == "quaternion":
            a /= np.linalg.norm(a, axis=1, keepdims=True)
            b /= np.linalg.norm(b, axis=1, keepdims=True)
            a *= np.sign((a * b).sum(axis=1, keepdims=True))
        if group == "opacity":
            a, b = 1 / (1 + np.exp(-a)), 1 / (1 + np.exp(-b))
        worst.append(np.abs(a - b).max())
    return worst


def of_gsply(data, turned):
    """The rows of gsply's arrays. It reads the axes of SPZ (right, up, back) as they are."""
    rows = np.zeros(len(data.means), dtype=[(name, "<f4") for name in NAMES])
    y, z = (-1, -1) if turned else (1, 1)
    signs = np.array([1, y, z])
    harmonic = [y, z, 1, y, y * z, 1, z, 1, y, y * z, y, z, 1, z, 1]
    for i, name in enumerate(GROUPS["mean"]):
        rows[name] = data.means[:, i] * signs[i]
    for i, name in enumerate(GROUPS["log scale"]):
        rows[name] = data.scales[:, i]
    for i, name in enumerate(GROUPS["quaternion"]):
        rows[name] = data.quats[:, i] * [1, y * z, z, y][i]
    for i, name in enumerate(GROUPS["degree 0"]):
        rows[name] = data.sh0[:, i]
    rows["opacity"] = data.opacities.reshape(-1)
    for channel in range(3):
        for k in range(REST // 3):
            name = f"f_rest_{channel * (REST // 3) + k}"
            rows[name] = data.shN[:, k, channel] * harmonic[k]
    return rows


class Comparison:
    def __init__(self):
        self.failed = False
        print(f"{'file':44}" + "".join(f"{group:>12}" for group in GROUPS))

    def row(self, name, got, expected, bounds):
        worst = differences(got, expected)
        fine = all(error <= bound for error, bound in zip(worst, bounds))
        self.failed |= not fine
        print(f"{name:44}" + "".join(f"{x:12.2e}" for x in worst) + ("" if fine else "  WRONG"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--node", required=True, type=pathlib.Path)
    parser.add_argument("--convert", default="target/release/examples/convert")
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=20)
    arguments = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp())
    at = lambda name: str(folder / name)
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

    def convert(source, target):
        subprocess.run([arguments.convert, at(source), at(target)], **quiet)

    def transform(source, target, *options):
        program = arguments.node / "node_modules/.bin/splat-transform"
        subprocess.run([program, "-w", *options, at(source), at(target)], **quiet)

    original = random_scene(arguments.count)
    element = PlyElement.describe(original, "vertex")
    PlyData([element], byte_order="<").write(at("scene.ply"))
    table = Comparison()

    convert("scene.ply", "ours.ply")
    table.row("PLY of splat in plyfile", vertices(at("ours.ply")), original, [0, 3e-7, 1e-7, 1e-7, 0, 0])
    table.row("PLY of splat in gsply", of_gsply(gsply.plyread(at("ours.ply")), False), vertices(at("ours.ply")), SAME)
    transform("ours.ply", "copy.ply")
    table.row("PLY of splat in splat-transform", vertices(at("copy.ply")), vertices(at("ours.ply")), SAME)

    convert("scene.ply", "ours.spz")
    convert("ours.spz", "ours_back.ply")
    back = vertices(at("ours_back.ply"))
    table.row("SPZ of splat in splat", back, original, OUR_SPZ)
    transform("ours.spz", "theirs_back.ply")
    table.row("SPZ of splat in splat-transform", vertices(at("theirs_back.ply")), back, SAME)
    gsply_rows = of_gsply(gsply.read_spz(at("ours.spz")), True)
    table.row("SPZ of splat in gsply, axes turned", gsply_rows, back, SAME)

    for version in ["3", "4"]:
        name = f"transform_v{version}.spz"
        transform("scene.ply", name, "--spz-version", version)
        convert(name, "back.ply")
        table.row(f"SPZ {version} of splat-transform in splat", vertices(at("back.ply")), original, THEIR_SPZ)
        transform(name, "copy.ply")
        table.row("  compared with its own reader", vertices(at("back.ply")), vertices(at("copy.ply")), SAME)

    transform("scene.ply", "transform.compressed.ply")
    gsply.plywrite(at("gsply.compressed.ply"), gsply.plyread(at("scene.ply")), compressed=True)
    for name in ["transform.compressed.ply", "gsply.compressed.ply"]:
        convert(name, "back.ply")
        table.row(f"{name} in splat", vertices(at("back.ply")), original, COMPRESSED)
        transform(name, "copy.ply")
        table.row("  compared with splat-transform", vertices(at("back.ply")), vertices(at("copy.ply")), SAME)

    script = SPLAT_OF_PLY.format(source=at("scene.ply"), target=at("gsplat.splat"))
    (arguments.node / "splat_of_ply.mjs").write_text(script)
    subprocess.run(["node", "splat_of_ply.mjs"], cwd=arguments.node, **quiet)
    convert("gsplat.splat", "back.ply")
    table.row(".splat of gsplat in splat", vertices(at("back.ply")), original, [0, 1e-6, 0.01, 0.004, 0.0141, 0])

    if arguments.keep:
        arguments.keep.mkdir(parents=True, exist_ok=True)
        for path in [
            "scene.ply",
            "transform.compressed.ply",
            "transform_v3.spz",
            "transform_v4.spz",
            "gsply.compressed.ply",
            "gsplat.splat",
        ]:
            shutil.copy(at(path), arguments.keep)
    shutil.rmtree(folder)
    sys.exit(1 if table.failed else 0)


if __name__ == "__main__":
    main()
