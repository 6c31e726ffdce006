"""Times gsplat on a CUDA device, on the workload files.

One call renders all views. The backward pass computes the gradients with respect to means, scales,
quaternions, opacities and features, as splat does. The times are medians of CUDA event times; the
first runs are not counted. `--save` writes images and gradients for splat's example verify, as the
other scripts here do.
"""

import argparse
import json
import statistics
from pathlib import Path

import gsplat
import torch

import workload as workloads
from workload import BLUR, FAR, NEAR, PARAMETERS


def render(workload, leaves, viewmat, camera, background):
    """Renders every set of Gaussians with the one camera; returns images [B, H, W, 3]."""
    means, scales, quats, opacities, features = leaves
    batch = means.shape[0]
    images, _alphas, _info = gsplat.rasterization(
        means=means,
        quats=quats,
        scales=scales,
        opacities=opacities,
        colors=features[:, None],  # [B, C = 1 camera, N, D]
        viewmats=viewmat.expand(batch, 1, 4, 4),
        Ks=camera.expand(batch, 1, 3, 3),
        width=workload.width,
        height=workload.height,
        near_plane=NEAR,
        far_plane=FAR,
        eps2d=BLUR,
        packed=False,
        backgrounds=background.expand(batch, 1, 3),
    )
    return images[:, 0]


def measure(workload, warm_up, repeat, save):
    device = torch.device("cuda")
    leaves = [workload.gaussians[name].to(device).requires_grad_() for name in PARAMETERS]
    viewmat, background = workload.viewmat.to(device), workload.background.to(device)
    fx, fy, cx, cy = workload.intrinsics.tolist()
    camera = torch.tensor([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]], device=device)
    forward, backward = [], []
    for run in range(warm_up + repeat):
        for leaf in leaves:
            leaf.grad = None
        events = [torch.cuda.Event(enable_timing=True) for _ in range(4)]
        torch.cuda.synchronize()
        events[0].record()
        image = render(workload, leaves, viewmat, camera, background)
        events[1].record()
        # The gradient of the loss with respect to the image is computed before the clock starts, as
        # in the timing of splat.
        v_image = image.detach() - 0.5
        torch.cuda.synchronize()
        events[2].record()
        image.backward(v_image)
        events[3].record()
        torch.cuda.synchronize()
        if run >= warm_up:
            forward.append(events[0].elapsed_time(events[1]))
            backward.append(events[2].elapsed_time(events[3]))
    if save:
        save.mkdir(parents=True, exist_ok=True)
        gradients = {name: leaf.grad.cpu() for name, leaf in zip(PARAMETERS, leaves)}
        path = save / f"gsplat.{workload.name}.safetensors"
        workloads.save_reference(path, workload, image.detach().cpu(), gradients)
    return {
        "name": workload.name,
        "forward_ms": statistics.median(forward),
        "backward_ms": statistics.median(backward),
        "runs": repeat,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workloads", nargs="+", metavar="FILE.safetensors")
    parser.add_argument("--warm-up", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=30)
    parser.add_argument("--save", type=Path, metavar="FOLDER")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = []
    for path in arguments.workloads:
        rows.append(measure(workloads.load(path), arguments.warm_up, arguments.repeat, arguments.save))
    if arguments.json:
        print(json.dumps({"peer": "gsplat", "version": gsplat.__version__, "workloads": rows}, indent=2))
        return
    print(f"gsplat {gsplat.__version__} on {torch.cuda.get_device_name()}")
    print("| workload | ms forward | ms backward |\n|---|---|---|")
    for row in rows:
        print(f"| {row['name']} | {row['forward_ms']:.3f} | {row['backward_ms']:.3f} |")


if __name__ == "__main__":
    main()
