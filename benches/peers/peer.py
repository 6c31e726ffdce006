"""Times one renderer on workload files: the common part of the peers' scripts."""

import argparse
import json
import os
import resource
import statistics
import sys
import time
from pathlib import Path

import torch

import workload as workloads
from workload import PARAMETERS


def run(name, description, render, refuse=lambda workload: None):
    """Runs the command line of a peer.

    `render(workload, leaves)` returns the image [H, W, 3] and must be differentiable.
    `refuse(workload)` returns a reason to leave the workload out, or None.
    """
    arguments = parse(description)
    torch.set_num_threads(arguments.threads)
    limit = int(arguments.memory * 2**30)
    # The limit is on allocated memory, not on mapped memory: mapped libraries are large.
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    rows = []
    for path in arguments.workloads:
        workload = workloads.load(path)
        reason = refuse(workload)
        if reason is None:
            rows.append(measure(name, workload, render, arguments))
        else:
            rows.append({"name": workload.name, "skipped": reason})
        print(f"{name}: {row_text(rows[-1])}", file=sys.stderr)
    print(json.dumps({"peer": name, "threads": arguments.threads, "workloads": rows}, indent=2) if arguments.json else table(name, rows))


def parse(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("workloads", nargs="+", metavar="FILE.safetensors")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--repeat", type=int, default=5, help="timed runs, after one to warm up")
    parser.add_argument("--memory", type=float, default=16.0, help="most to allocate, GiB; a workload that needs more is left out")
    parser.add_argument("--save", type=Path, metavar="FOLDER", help="also write images and gradients, for splat's example verify")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def measure(name, workload, render, arguments):
    """Returns the median times of the whole batch, ms."""
    forward, backward = [], []
    try:
        for repeat in range(arguments.repeat + 1):
            seconds, images, gradients = once(workload, render)
            if repeat == 0 and arguments.save:
                arguments.save.mkdir(parents=True, exist_ok=True)
                path = arguments.save / f"{name}.{workload.name}.safetensors"
                workloads.save_reference(path, workload, torch.stack(images), gradients)
            if repeat > 0:
                forward.append(1e3 * seconds[0])
                backward.append(1e3 * seconds[1])
    except RuntimeError as error:
        # On a CPU, torch reports a failed allocation only by this message.
        if "can't allocate memory" not in str(error):
            raise
        return {"name": workload.name, "skipped": f"needs more than {arguments.memory:g} GiB"}
    totals = [f + b for f, b in zip(forward, backward)]
    return {
        "name": workload.name,
        "forward_ms": statistics.median(forward),
        "backward_ms": statistics.median(backward),
        "total_ms": statistics.median(totals),
        "runs": arguments.repeat,
    }


def once(workload, render):
    """Renders the batch once, view by view to bound memory, with a backward pass after each view.

    Returns the times (forward, backward) in s, the images and the gradients.
    """
    forward = backward = 0.0
    images, gradients = [], []
    for b in range(workload.views):
        leaves = workload.view(b)
        started = time.perf_counter()
        image = render(workload, leaves)
        rendered = time.perf_counter()
        image.backward(image.detach() - 0.5)
        done = time.perf_counter()
        forward += rendered - started
        backward += done - rendered
        images.append(image.detach())
        gradients.append([leaf.grad for leaf in leaves])
    by_name = {name: torch.stack(views) for name, views in zip(PARAMETERS, zip(*gradients))}
    return (forward, backward), images, by_name


def row_text(row):
    if "skipped" in row:
        return f"{row['name']}: {row['skipped']}"
    return f"{row['name']}: {row['forward_ms']:.1f} + {row['backward_ms']:.1f} ms"


def table(name, rows):
    lines = [f"| {name} | forward, ms | backward, ms | total, ms |", "|---|---|---|---|"]
    for row in rows:
        if "skipped" in row:
            lines.append(f"| {row['name']} | {row['skipped']} | | |")
        else:
            lines.append(f"| {row['name']} | {row['forward_ms']:.1f} | {row['backward_ms']:.1f} | {row['total_ms']:.1f} |")
    return "\n".join(lines)
