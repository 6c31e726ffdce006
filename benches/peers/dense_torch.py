"""Times a dense differentiable splatter: every Gaussian at every pixel, in PyTorch with autograd.

It has the pixel rules of splat, but no tiles. It stands for a first implementation, which suffices
for a few hundred Gaussians in a small image.
"""

import torch

import peer
from workload import ALPHA_MAX, ALPHA_MIN, BLUR, NEAR, TRANSMITTANCE_MIN

# Most (Gaussian, pixel) pairs per view; larger workloads take too long and too much memory, since
# autograd keeps about ten values of each pair.
MOST_PAIRS = 10**8
# Rows of pixels per band. The allocator reuses tensors of tens of megabytes, but returns larger
# tensors to the system.
ROWS = 32
# The Jacobian is evaluated at most this many half images from the middle of the image.
MARGIN = 1.3


def refuse(workload):
    pairs = workload.per_view * workload.width * workload.height
    if pairs > MOST_PAIRS:
        return f"{pairs:.1e} pairs of Gaussian and pixel, {4 * pairs / 2**30:.0f} GiB for each of about ten tensors"
    return None


def render(workload, leaves):
    """Renders N Gaussians; returns the image [H, W, 3]."""
    means, scales, quats, opacities, features = leaves
    centres, conics, depths = project(workload, means, scales, quats)
    # Sorted front to back. In the workloads no Gaussian lies behind the camera.
    assert (depths > NEAR).all()
    order = depths.argsort(stable=True)
    splats = centres[order], conics[order], opacities[order], features[order]
    bands = [band(workload, splats, range(top, min(top + ROWS, workload.height))) for top in range(0, workload.height, ROWS)]
    return torch.cat(bands)


def band(workload, splats, rows):
    """Renders the rows `rows` of the image."""
    *shapes, features = splats
    alphas = alpha(workload, *shapes, rows)
    # [P, N]: the transmittance behind each Gaussian. The Gaussian that would lower it too far ends
    # its pixel and is not composited.
    left = torch.cumprod(1 - alphas, 1)
    alphas = torch.where(left > TRANSMITTANCE_MIN, alphas, 0)
    before = torch.cat([torch.ones_like(left[:, :1]), left[:, :-1]], 1)
    weights = alphas * before
    image = weights @ features + (1 - weights.sum(1, keepdim=True)) * workload.background
    return image.reshape(len(rows), workload.width, 3)


def project(workload, means, scales, quats):
    """Returns centres [N, 2] px, inverse covariances [N, 3] as (xx, xy, yy), and depths [N]."""
    fx, fy, cx, cy = workload.intrinsics
    rotation = workload.viewmat[:3, :3]
    x, y, z = (means @ rotation.T + workload.viewmat[:3, 3]).unbind(1)
    centres = torch.stack([fx * x / z + cx, fy * y / z + cy], 1)
    low_x, high_x = bounds(cx, fx, workload.width)
    low_y, high_y = bounds(cy, fy, workload.height)
    tan_x, tan_y = (x / z).clamp(low_x, high_x), (y / z).clamp(low_y, high_y)
    zero = torch.zeros_like(z)
    jacobian = torch.stack([fx / z, zero, -fx * tan_x / z, zero, fy / z, -fy * tan_y / z], 1).view(-1, 2, 3)
    # [N, 2, 3]: a square root of the covariance matrix in the image.
    root = jacobian @ rotation @ (matrices(quats) * scales[:, None, :])
    covariance = root @ root.transpose(1, 2)
    a, b, c = covariance[:, 0, 0] + BLUR, covariance[:, 0, 1], covariance[:, 1, 1] + BLUR
    determinant = a * c - b * b
    return centres, torch.stack([c, -b, a], 1) / determinant[:, None], z


def bounds(principal, focal, side):
    """Returns the tangents between which the Jacobian is evaluated: `MARGIN` half images on either
    side of the middle of the image."""
    middle, half = (0.5 * side - principal) / focal, 0.5 * side / focal
    return float(middle - MARGIN * half), float(middle + MARGIN * half)


def matrices(quats):
    """Converts quaternions [N, 4] (w, x, y, z, any length) to rotation matrices [N, 3, 3]."""
    w, x, y, z = torch.nn.functional.normalize(quats, dim=1).unbind(1)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return torch.stack([torch.stack(row, 1) for row in rows], 1)


def alpha(workload, centres, conics, opacities, rows):
    """Returns the alphas [P, N] of the P pixels of `rows`, row by row."""
    dx = (torch.arange(workload.width) + 0.5)[:, None] - centres[:, 0]
    dy = (torch.arange(rows.start, rows.stop) + 0.5)[:, None, None] - centres[:, 1]
    xx, xy, yy = conics.unbind(1)
    sigma = 0.5 * (xx * dx * dx + yy * dy * dy) + xy * dx * dy
    alphas = (opacities * torch.exp(-sigma)).clamp(max=ALPHA_MAX)
    return torch.where(alphas >= ALPHA_MIN, alphas, 0).flatten(0, 1)


if __name__ == "__main__":
    peer.run("dense-torch", __doc__, render, refuse)
