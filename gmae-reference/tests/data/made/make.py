"""Makes the files beside it. Needs Pillow 10.4 (pip install pillow==10.4).

Pillow 10 resizes the rows first, as the crate does. Pillow 13 begins with the cheaper direction.
The order matters where values beyond black and white are clipped: up to 13/255 in these pictures.
"""

from PIL import Image


def shade(x, y):
    """The picture of `resize.rs`: smooth shades with edges, in integers."""
    edge = 120 if (x // 7 + y // 5) % 2 else 0
    return ((x * 37 + y * 11) % 256, (x * x + 3 * y) % 256, edge + (x * y) % 100)


def source(width, height):
    image = Image.new("RGB", (width, height))
    image.putdata([shade(x, y) for y in range(height) for x in range(width)])
    return image


# Width and height of the source, window (left, top, width, height), side of the result.
CASES = [
    (90, 60, (0, 0, 90, 60), 16),
    (90, 60, (13, 7, 61, 40), 24),
    (61, 83, (5, 30, 20, 45), 24),
    (61, 83, (3, 2, 9, 6), 24),
    (300, 20, (10, 3, 280, 15), 16),
    (40, 40, (8, 8, 24, 24), 24),
    (1, 1, (0, 0, 1, 1), 16),
    (1, 50, (0, 4, 1, 40), 16),
    (50, 1, (4, 0, 40, 1), 16),
    (33, 33, (20, 11, 1, 1), 16),
]
for i, (width, height, (x, y, w, h), side) in enumerate(CASES):
    window = source(width, height).crop((x, y, x + w, y + h))
    window.resize((side, side), Image.BICUBIC).save(f"resized{i}.png", optimize=True)

# Kinds of files that the encoders of the tests do not write. Red, green, blue and black squares.
COLOURS = [(220, 20, 20), (20, 200, 30), (30, 40, 210), (0, 0, 0)]
squares = Image.new("RGB", (16, 16))
squares.putdata([COLOURS[x // 8 + y // 8 * 2] for y in range(16) for x in range(16)])
squares.convert("CMYK").save("cmyk.jpg", quality=95)
squares.convert("CMYK").save("cmyk.tif")
squares.quantize(8).save("palette.png")
squares.quantize(8).save("palette.bmp")
squares.convert("L").save("grey.jpg", quality=95)
squares.save("progressive.jpg", quality=95, progressive=True)
later = [Image.new("RGB", (16, 16), (255, 255, 0))]
squares.save("moving.gif", save_all=True, append_images=later, duration=100)
squares.save("moving.webp", save_all=True, append_images=later, duration=100, lossless=True)
squares.save("moving.png", save_all=True, append_images=later, duration=100)
squares.save("lossy.webp", quality=95)
