"""Times splat and the peers on the same workload files, and prints the ratio of their times.

For every file the programs run in the order splat, each peer, splat again. The mean of both times
of splat counts. On a busy machine the ratios of several threads favour splat, because PyTorch's
threads wait for one another at every operation. Use --threads 1 there.
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import workload

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PEERS = {"metal-gauss": "metal_gauss_cpu.py", "dense-torch": "dense_torch.py"}
OURS = "cargo run --release -p benches --no-default-features --bin throughput -- --workload {file} --threads {threads} --json"
VERIFY = "cargo run --release -p splat --example verify -- --json {file}"

# Results are compared for at most this many pairs: the example verify evaluates every Gaussian at
# every pixel, which takes many minutes for more pairs.
MOST_PAIRS = 5 * 10**9


def main():
    arguments = parse()
    rows = [compare(file, arguments) for file in arguments.workloads]
    if arguments.json:
        print(json.dumps(rows, indent=2))
    else:
        print(table(rows))


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="+", type=Path, metavar="FILE.safetensors")
    parser.add_argument("--repeat", type=int, default=3, help="timed runs of each peer, after one to warm up")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--ours", default=OURS, metavar="COMMAND", help="prints splat's times for {file} on {threads} threads as JSON (default: %(default)s)")
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--no-check", dest="check", action="store_false", help="do not compare images and gradients with splat's")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def compare(file, arguments):
    """Returns one row: all times, and for each peer its ratio and its differences from splat."""
    row = {"name": file.stem, "peers": {}}
    scene = workload.load(file)
    check = arguments.check and scene.views * scene.per_view * scene.width * scene.height <= MOST_PAIRS
    before = ours(file, arguments)
    for peer in arguments.peers:
        with tempfile.TemporaryDirectory() as folder:
            row["peers"][peer] = result = timed(peer, file, Path(folder) if check else None, arguments)
            if check and "skipped" not in result:
                result.update(differences(next(Path(folder).iterdir())))
    after = ours(file, arguments)
    row["splat"] = {key: statistics.mean([before[key], after[key]]) for key in ("forward_ms", "backward_ms", "total_ms")}
    for result in row["peers"].values():
        if "skipped" not in result:
            result["ratio"] = result["total_ms"] / row["splat"]["total_ms"]
    return row


def ours(file, arguments):
    """Returns the times of splat for `file`, ms."""
    found = list(timings(output(arguments.ours, file, arguments.threads)))
    if len(found) != 1:
        sys.exit(f"{arguments.ours}: expected the times of one workload with forward_ms and backward_ms, got {len(found)}")
    forward, backward = (float(found[0][key]) for key in ("forward_ms", "backward_ms"))
    note(f"splat: {file.stem}: {forward:.1f} + {backward:.1f} ms")
    return {"forward_ms": forward, "backward_ms": backward, "total_ms": forward + backward}


def timed(peer, file, folder, arguments):
    """Returns the report of `peer` for `file`. The peer saves its results in `folder`, if given."""
    command = [sys.executable, str(HERE / PEERS[peer]), str(file), "--json"]
    command += ["--repeat", str(arguments.repeat), "--threads", str(arguments.threads)]
    if folder:
        command += ["--save", str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        return {"skipped": f"ended with {done.returncode}"}
    return json.loads(done.stdout)["workloads"][0]


def differences(reference):
    """Compares splat with `reference`.

    Returns the greatest difference of the images, and for each gradient the greatest difference
    relative to the gradient's largest entry.
    """
    # verify exits with 1 if any value differs.
    report = json.loads(output(VERIFY, reference, os.cpu_count(), ends=(0, 1)))["files"][0]
    if "error" in report:
        sys.exit(f"{VERIFY}: {report['error']}")
    single = {row["tensor"]: row for row in report["tensors"] if row["precision"] == "f32"}
    prefix, others = "grad_image_only.", ("background", "viewmat")
    gradients = {
        name.removeprefix(prefix): row["relative"]
        for name, row in single.items()
        if name.startswith(prefix) and name.removeprefix(prefix) not in others
    }
    return {"image_difference": single["out_image"]["absolute"], "gradient_differences": gradients}


def output(command, file, threads, ends=(0,)):
    """Runs `command` for `file` on `threads` threads, in the workspace's root; returns its output."""
    values = {"{file}": str(file.resolve()), "{threads}": str(threads)}
    words = [values.get(word, word) for word in shlex.split(command)]
    done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in ends:
        sys.exit(f"{shlex.join(words)}: ended with {done.returncode}")
    return done.stdout


def timings(text):
    """Yields every object with both times in `text`, which is one JSON document or one per line."""
    try:
        documents = [json.loads(text)]
    except json.JSONDecodeError:
        documents = [json.loads(line) for line in text.splitlines() if line.lstrip().startswith(("{", "["))]
    while documents:
        value = documents.pop()
        if isinstance(value, dict) and {"forward_ms", "backward_ms"} <= value.keys():
            yield value
        elif isinstance(value, (dict, list)):
            documents.extend(value.values() if isinstance(value, dict) else value)


def table(rows):
    lines = [
        "| workload | | forward, ms | backward, ms | total, ms | of splat's | image off by | gradients off by |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        times = "{forward_ms:.1f} | {backward_ms:.1f} | {total_ms:.1f}"
        lines.append(f"| {row['name']} | splat | {times.format(**row['splat'])} | 1 | | |")
        for peer, result in row["peers"].items():
            if "skipped" in result:
                lines.append(f"| {row['name']} | {peer} | {result['skipped']} | | | | | |")
                continue
            off = "| "
            if "image_difference" in result:
                off = f"{result['image_difference']:.0e} | {max(result['gradient_differences'].values()):.0e}"
            lines.append(f"| {row['name']} | {peer} | {times.format(**result)} | {result['ratio']:.0f} | {off} |")
    return "\n".join(lines)


def note(text):
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
