"""Compares the boundary benchmark of gmae-reference with the PyPI package pyEdgeEval 0.2.8.

    cargo build --release -p gmae-reference
    pip install pyedgeeval==0.2.8 opencv-python-headless
    python benches/peers/bsds_pyedgeeval.py MAPS --data BSDS500 --images 10

The script takes every n-th map of the folder MAPS, such that `--images` maps remain. Both programs
evaluate these maps at `--thresholds` thresholds, with thinning, the distance 0.0075 of the diagonal,
and one thread. The script prints the scores, and the processor seconds of each program. An image at
99 thresholds takes pyEdgeEval about three minutes.

pyEdgeEval calls the C++ code of the original benchmark for the matching. It must be installed by the
user; nothing of it is part of this workspace. Two of its definitions differ:

- Its AP sums over 100 of the 101 recalls, and takes the highest precision at a recall or above.
  gmae-reference and the original benchmark interpolate between the measured recalls. pyEdgeEval calls
  that number AUC. The script compares AUC with AP.
- Its thinning is a separate implementation.
"""

import argparse
import json
import pathlib
import resource
import shutil
import subprocess
import tempfile
import time

from pyEdgeEval.common.binary_label import calculate_metrics
from pyEdgeEval.datasets import bsds_eval_single


def subset(maps, data, split, count, folder):
    """Copies `count` maps, their photographs and their annotations. Returns the names."""
    names = sorted(path.stem for path in maps.glob("*.png"))
    names = names[:: max(1, len(names) // count)][:count]
    for name in names:
        for source, part in (
            (maps / f"{name}.png", "maps"),
            (data / "images" / split / f"{name}.jpg", f"images/{split}"),
            (data / "groundTruth" / split / f"{name}.mat", f"groundTruth/{split}"),
        ):
            (folder / part).mkdir(parents=True, exist_ok=True)
            shutil.copy(source, folder / part)
    return names


def peer(folder, split, names, thresholds):
    """Returns the scores of pyEdgeEval and its processor seconds."""
    samples = [
        {
            "name": name,
            "thresholds": thresholds,
            "gt_path": str(folder / "groundTruth" / split / f"{name}.mat"),
            "pred_path": str(folder / "maps" / f"{name}.png"),
            "scale": 1.0,
            "apply_thinning": True,
            "apply_nms": False,
            "max_dist": 0.0075,
        }
        for name in names
    ]
    begun = time.process_time()
    _, _, found = calculate_metrics(bsds_eval_single, thresholds, samples, nproc=1)
    seconds = time.process_time() - begun
    return {"ODS": found["ODS_f1"], "OIS": found["OIS_f1"], "AP": found["AUC"]}, seconds


def ours(program, folder, split, thresholds):
    """Returns the scores of gmae-reference and its processor seconds."""
    output = folder / "out"
    command = [program, "bsds-eval", folder / "maps", "--data", folder, "--split", split]
    command += ["--thresholds", str(thresholds), "--output", output]
    subprocess.run(command, check=True, env={"RAYON_NUM_THREADS": "1"})
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    table = (output / "table.csv").read_text().splitlines()
    return table, used.ru_utime + used.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("maps", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--split", default="test")
    parser.add_argument("--images", type=int, default=10)
    parser.add_argument("--thresholds", type=int, default=99)
    parser.add_argument("--program", default="target/release/gmae-reference")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        split = arguments.split
        names = subset(arguments.maps, arguments.data, split, arguments.images, folder)
        table, seconds = ours(arguments.program, folder, split, arguments.thresholds)
        scores, peer_seconds = peer(folder, split, names, arguments.thresholds)
    print("\n".join(table))
    print(json.dumps({"pyEdgeEval": scores, "seconds": peer_seconds, "ours seconds": seconds}))


if __name__ == "__main__":
    main()
