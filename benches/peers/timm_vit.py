"""Compares the encoder of gmae-reference with Vision Transformers of timm (PyPI: torch, timm, pillow).

The script creates Vision Transformers with random weights and saves them as files of PyTorch and of
safetensors. The program imports each file, encodes images, and exports the encoder again:

- The tokens of both agree within 1e-4.
- timm loads the exported file without a missing or an unexpected name. Its tensors have the bits of
  the original tensors.
- The library safetensors reads every file of the folder that the program wrote.

    cargo build --release -p gmae-reference
    python3 benches/peers/timm_vit.py target/release/gmae-reference

With `--test-data FOLDER` the script writes the small files that the tests of gmae-reference read.
"""

import argparse
import pathlib
import subprocess
import tempfile

import numpy
import timm
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from timm.models.vision_transformer import VisionTransformer

TOLERANCE = 1e-4
MEAN = torch.tensor([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1)
DEVIATION = torch.tensor([0.229, 0.224, 0.225]).reshape(1, 3, 1, 1)


def randomise(model):
    """Gives every parameter random values, also those that timm initialises with zeros and ones."""
    generator = torch.Generator().manual_seed(0)
    for name, parameter in model.named_parameters():
        values = torch.randn(parameter.shape, generator=generator) * 0.02
        if ".norm" in name or name.startswith("norm"):
            values = values * 5 + (1 if name.endswith("weight") else 0)
        elif parameter.ndim > 1:
            values = values * 2
        parameter.data.copy_(values)
    return model.eval()


def tokens(model, pixels):
    """The tokens of images [B, H, W, 3] in [0, 1]."""
    with torch.no_grad():
        return model.forward_features((pixels.permute(0, 3, 1, 2) - MEAN) / DEVIATION)


def smooth_images(folder, side, count=2):
    generator = numpy.random.default_rng(0)
    paths = []
    for i in range(count):
        small = generator.integers(0, 256, (7, 9, 3), dtype=numpy.uint8)
        path = folder / f"{i}.png"
        Image.fromarray(small).resize((side + 40, side), Image.Resampling.BICUBIC).save(path)
        paths.append(str(path))
    return paths


def run(program, *arguments):
    subprocess.run([program, *map(str, arguments)], check=True)


def compare(program, name):
    model = randomise(timm.create_model(name, pretrained=False))
    weights = model.state_dict()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        torch.save({"model": weights, "epoch": 3}, folder / "vit.pth")
        save_file(weights, folder / "vit.safetensors")
        images = smooth_images(folder, 224)
        for file in ["vit.pth", "vit.safetensors"]:
            run_folder = folder / f"{file}-run"
            run(program, "import", "--from", folder / file, "--output", run_folder)
            encoded = folder / f"{file}-tokens"
            run(program, "encode", "--checkpoint", run_folder, "--output", encoded, "--image", *images)
            ours = load_file(encoded)
            theirs = tokens(model, ours["images"])
            difference = (ours["tokens"] - theirs).abs().max().item()
            print(f"{name}, {file}: largest difference of tokens {difference:.1e}, "
                  f"of values up to {theirs.abs().max().item():.1f}")
            assert difference < TOLERANCE
            exported = folder / f"{file}-exported.safetensors"
            run(program, "export", "--checkpoint", run_folder, "--encoder-only", "--output", exported)
            plain = timm.create_model(name, pretrained=False, num_classes=0)
            plain.load_state_dict(load_file(exported), strict=True)
            for key, value in plain.state_dict().items():
                assert torch.equal(value, weights[key]), key
            for path in run_folder.glob("*.safetensors"):
                with safe_open(path, "pt") as opened:
                    print(f"  {path.name}: {len(opened.keys())} tensors")
    print(f"{name}: exported file loads into timm, all tensors have the same bits")


def write_test_data(folder):
    folder.mkdir(parents=True, exist_ok=True)
    model = randomise(VisionTransformer(
        img_size=8, patch_size=4, embed_dim=16, depth=2, num_heads=2, num_classes=3))
    generator = torch.Generator().manual_seed(1)
    pixels = torch.rand(2, 8, 8, 3, generator=generator)
    weights = model.state_dict()
    save_file(weights, folder / "vit.safetensors")
    torch.save({"model": {key: value.half() for key, value in weights.items()}}, folder / "half.pth")
    save_file({"images": pixels, "tokens": tokens(model, pixels)}, folder / "tokens.safetensors")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", nargs="?", help="the built gmae-reference")
    parser.add_argument("--test-data", type=pathlib.Path, help="folder for the files of the tests")
    arguments = parser.parse_args()
    if arguments.test_data:
        write_test_data(arguments.test_data)
    if arguments.program:
        compare(arguments.program, "vit_tiny_patch16_224")
        compare(arguments.program, "vit_base_patch16_224")


if __name__ == "__main__":
    main()
