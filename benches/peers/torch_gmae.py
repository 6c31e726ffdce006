"""Times training steps of the masked autoencoder's transformer in PyTorch, on the CPU.

The encoder, the decoder, the batch and the optimiser equal those of gmae-reference. The render and
its loss are left out: the loss is the mean square of the 14 raw values of every Gaussian. A step of
gmae-reference therefore contains more work than a step here.

The program `gmae_step` of the package `benches` starts this script and prints both results:

    cargo run --release -p benches --bin gmae_step -- --torch PYTHON
"""

import argparse
import json
import time

import torch
from torch import nn
from torch.nn import functional as F

PATCH_CHANNELS = 3
ATTRIBUTES = 14


class Block(nn.Module):
    """Pre-norm transformer block."""

    def __init__(self, width, heads, ratio):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.fc1 = nn.Linear(width, ratio * width)
        self.fc2 = nn.Linear(ratio * width, width)

    def forward(self, x):
        images, tokens, width = x.shape
        qkv = self.qkv(self.norm1(x)).reshape(images, tokens, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(q, k, v)
        x = x + self.proj(mixed.transpose(1, 2).reshape(images, tokens, width))
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class Model(nn.Module):
    """Encoder of the visible patches, decoder with one query per Gaussian, head."""

    def __init__(self, c):
        super().__init__()
        patches = (c["image_size"] // c["patch_size"]) ** 2
        self.embed = nn.Linear(PATCH_CHANNELS * c["patch_size"] ** 2, c["encoder_width"])
        self.cls = nn.Parameter(0.02 * torch.randn(1, c["encoder_width"]))
        self.register_buffer("positions", 0.02 * torch.randn(1 + patches, c["encoder_width"]))
        block = lambda side: Block(c[f"{side}_width"], c[f"{side}_heads"], c["mlp_ratio"])
        self.encoder = nn.Sequential(*[block("encoder") for _ in range(c["encoder_depth"])])
        self.norm = nn.LayerNorm(c["encoder_width"], eps=1e-6)
        self.decoder_embed = nn.Linear(c["encoder_width"], c["decoder_width"])
        self.register_buffer("decoder_positions", 0.02 * torch.randn(1 + patches, c["decoder_width"]))
        self.mask_token = nn.Parameter(0.02 * torch.randn(1, c["decoder_width"]))
        self.queries = nn.Parameter(torch.rand(c["gaussians"], c["decoder_width"]))
        self.decoder = nn.Sequential(*[block("decoder") for _ in range(c["decoder_depth"])])
        self.head_norm = nn.LayerNorm(c["decoder_width"], eps=1e-6)
        self.head = nn.Linear(c["decoder_width"], ATTRIBUTES, bias=False)

    def encode(self, patches, rows):
        x = self.embed(patches) + self.positions[1 + rows]
        x = torch.cat([self.cls.expand(len(x), 1, -1), x], 1)
        return self.norm(self.encoder(x))

    def decode(self, latents, rows):
        places = torch.cat([torch.zeros_like(rows[:, :1]), 1 + rows], 1)
        x = self.decoder_embed(latents) + self.decoder_positions[places]
        queries = (self.queries + self.mask_token).expand(len(x), -1, -1)
        x = self.decoder(torch.cat([x, queries], 1))
        return self.head(self.head_norm(x[:, -queries.shape[1] :]))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True, help="the settings of gmae-reference as JSON")
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--threads", type=int, required=True)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    c = json.loads(args.config)
    model = Model(c)
    decayed = [p for p in model.parameters() if p.ndim > 1]
    undecayed = [p for p in model.parameters() if p.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": c["weight_decay"]},
        {"params": undecayed, "weight_decay": 0.0},
    ]
    betas = (c["beta1"], c["beta2"])
    optimizer = torch.optim.AdamW(groups, lr=1e-4, betas=betas, eps=1e-8, fused=True)

    patches = (c["image_size"] // c["patch_size"]) ** 2
    visible = c["visible"]
    order = torch.rand(args.batch, patches).argsort(1)[:, :visible]
    pixels = torch.randn(args.batch, visible, PATCH_CHANNELS * c["patch_size"] ** 2)

    marks = {"encoder": [], "decoder": [], "backward": [], "optimiser": [], "step": []}
    warm = min(3, args.steps)
    for step in range(args.steps + warm):
        start = time.perf_counter()
        latents = model.encode(pixels, order)
        encoded = time.perf_counter()
        loss = model.decode(latents, order).square().mean()
        decoded = time.perf_counter()
        loss.backward()
        backward = time.perf_counter()
        torch.nn.utils.clip_grad_norm_(model.parameters(), c["clip_norm"])
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        end = time.perf_counter()
        # The first steps are not timed.
        if step >= warm:
            marks["encoder"].append(encoded - start)
            marks["decoder"].append(decoded - encoded)
            marks["backward"].append(backward - decoded)
            marks["optimiser"].append(end - backward)
            marks["step"].append(end - start)
    median = lambda values: sorted(values)[len(values) // 2]
    print(json.dumps({name: 1e3 * median(values) for name, values in marks.items()}))


main()
