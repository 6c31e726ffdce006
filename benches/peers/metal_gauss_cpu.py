"""Times the PyPI package metal-gauss on a CPU, where its pure-PyTorch backend runs.

This script does not have the package's name, because it would then hide the package on import.
"""

import metal_gauss
import torch

import peer
from workload import FAR, NEAR


def render(workload, leaves):
    means, scales, quats, opacities, features = leaves
    fx, fy, cx, cy = workload.intrinsics
    camera = torch.eye(3)
    camera[0, 0], camera[1, 1], camera[0, 2], camera[1, 2] = fx, fy, cx, cy
    image, _alpha, info = metal_gauss.render(
        means,
        quats,
        scales,
        opacities,
        None,
        camera,
        workload.viewmat,
        workload.width,
        workload.height,
        near=NEAR,
        far=FAR,
        background=workload.background,
        colors=features,
        # By default the package drops Gaussians that are wider than the image.
        max_radius_frac=float("inf"),
        backend="torch_ref",
    )
    assert info["isect_dropped"] == 0, info
    return image


if __name__ == "__main__":
    peer.run("metal-gauss", __doc__, render)
