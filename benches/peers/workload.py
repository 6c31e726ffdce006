"""Workload files: safetensors of B independent sets of N Gaussians under one pinhole camera."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

# The differentiated parameters, in the order in which the renderers here take them.
PARAMETERS = ("means", "scales", "quats", "opacities", "features")

# The settings of the pixel rules (docs/CONVENTIONS.md).
NEAR, FAR = 0.01, 1e10
BLUR = 0.3
ALPHA_MIN, ALPHA_MAX = 1.0 / 255.0, 0.999
TRANSMITTANCE_MIN = 1e-4


@dataclass(frozen=True)
class Workload:
    """The content of one workload file. Tensors are float32."""

    name: str
    width: int
    height: int
    gaussians: dict  # name -> [B, N, ...], the names of PARAMETERS
    background: torch.Tensor  # [3]
    viewmat: torch.Tensor  # [4, 4], camera from world
    intrinsics: torch.Tensor  # [4]: fx, fy, cx, cy

    @property
    def views(self):
        return self.gaussians["means"].shape[0]

    @property
    def per_view(self):
        return self.gaussians["means"].shape[1]

    def view(self, b):
        """Returns the Gaussians of view b as new leaves of autograd, in the order of PARAMETERS."""
        return [self.gaussians[name][b].clone().requires_grad_() for name in PARAMETERS]


def load(path):
    """Reads the workload file at `path`. The workload gets the name of the file."""
    with safe_open(path, framework="pt") as file:
        size = file.metadata()
        return Workload(
            name=Path(path).stem,
            width=int(size["width"]),
            height=int(size["height"]),
            gaussians={name: file.get_tensor(name) for name in PARAMETERS},
            background=file.get_tensor("background"),
            viewmat=file.get_tensor("viewmat"),
            intrinsics=file.get_tensor("intrinsics"),
        )


def save_reference(path, workload, image, gradients):
    """Writes a reference file for splat's example `verify`.

    `image` is [B, H, W, 3]. `gradients` maps PARAMETERS to [B, N, ...], the gradients of the loss
    sum(image * (image - 0.5).detach()). The peers compute neither alpha nor depth, nor the
    gradients with respect to backgrounds and cameras: these tensors are zero in the file, and their
    comparison means nothing.
    """
    b, h, w = workload.views, workload.height, workload.width
    double = torch.float64
    plane = torch.zeros(b, h, w)
    settings = [w, h, 0, NEAR, FAR, BLUR, ALPHA_MIN, ALPHA_MAX, TRANSMITTANCE_MIN, 0, -1, 0]
    tensors = {
        **workload.gaussians,
        "params": torch.tensor(settings, dtype=double),
        "background": workload.background.expand(b, 3),
        "viewmat": workload.viewmat.expand(b, 4, 4),
        "intrinsics": workload.intrinsics.expand(b, 4),
        "scene_of_image": torch.arange(b),
        "ct_image": image - 0.5,
        "ct_alpha": plane,
        "ct_depth": plane,
        "out_image": image.to(double),
        "out_alpha": plane.to(double),
        "out_depth": plane.to(double),
    }
    for prefix in ("grad", "grad_image_only"):
        for name, gradient in gradients.items():
            tensors[f"{prefix}.{name}"] = gradient.to(double)
        tensors[f"{prefix}.background"] = torch.zeros(b, 3, dtype=double)
        tensors[f"{prefix}.viewmat"] = torch.zeros(b, 4, 4, dtype=double)
    outputs = ("image", "alpha", "depth")
    kinds = [f"{kind}.{name}" for kind in ("grad", "row") for name in (*PARAMETERS, "background", "viewmat")]
    # With zero tolerances verify reports every difference; only the differences are used.
    tolerances = json.dumps(dict.fromkeys((*outputs, *kinds), 0.0))
    save_file(
        {name: tensor.contiguous().clone() for name, tensor in tensors.items()},
        path,
        metadata={"name": workload.name, "tol_f32": tolerances, "tol_f64": tolerances},
    )
