#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Renders lines of text for the text-direction classifier and the text recogniser of rapidocr-onnxruntime.

    text_lines.py {cls,rec} OUT [--calibration N] [--test N]

Writes OUT/calibration/*.npy and OUT/test/*.npy, one input of the network each: f32 [1, 3, 48, W], values from -1
to 1, padded with 0 on the right, as the package prepares them. W is 192 for cls and 320 for rec. Words, fonts and
distortions of the two sets come from different random streams and the sets share no line. Half of the lines for
cls are upside down. Needs Pillow, numpy and TrueType fonts (DejaVu).
"""
import argparse
import glob
import os
import random

import numpy
from PIL import Image, ImageDraw, ImageFilter, ImageFont

HEIGHT = 48
WIDTHS = {"cls": 192, "rec": 320}
FONTS = sorted(
    path
    for path in glob.glob("/usr/share/fonts/truetype/**/*.ttf", recursive=True)
    if "Math" not in path
)
SYLLABLES = "ba be ca co da de di el en er fa fi ga in ka la le li ma me mi na ne no on or pa pe ra re ri ro sa se si ta te ti to un va ve vi".split()


def word(stream):
    kind = stream.random()
    if kind < 0.15:
        return str(stream.randrange(10 ** stream.randrange(1, 6)))
    if kind < 0.2:
        return f"{stream.randrange(100)}.{stream.randrange(100):02d}"
    text = "".join(stream.choice(SYLLABLES) for _ in range(stream.randrange(1, 5)))
    if stream.random() < 0.3:
        text = text.capitalize()
    elif stream.random() < 0.1:
        text = text.upper()
    if stream.random() < 0.1:
        text += stream.choice(",.:;!?")
    return text


def line(stream, most):
    text = word(stream)
    while stream.random() < 0.6:
        longer = text + " " + word(stream)
        if len(longer) > most:
            break
        text = longer
    return text


def render(text, stream):
    font = ImageFont.truetype(stream.choice(FONTS), stream.randrange(24, 56))
    left, top, right, bottom = font.getbbox(text)
    margin = [stream.randrange(2, 10) for _ in range(4)]
    size = (right - left + margin[0] + margin[1], bottom - top + margin[2] + margin[3])
    shade = stream.randrange(256)
    paper = tuple(min(255, max(0, shade + stream.randrange(-30, 31))) for _ in range(3))
    distance = stream.randrange(90, 200)
    tone = shade - distance if shade >= 128 else shade + distance
    ink = tuple(min(255, max(0, tone + stream.randrange(-20, 21))) for _ in range(3))
    image = Image.new("RGB", size, paper)
    ImageDraw.Draw(image).text((margin[0] - left, margin[2] - top), text, fill=ink, font=font)
    if stream.random() < 0.5:
        image = image.rotate(stream.uniform(-2, 2), Image.BILINEAR, expand=True, fillcolor=paper)
    if stream.random() < 0.4:
        image = image.filter(ImageFilter.GaussianBlur(stream.uniform(0.3, 1.2)))
    if stream.random() < 0.5:
        noise = numpy.random.default_rng(stream.randrange(2**32)).normal(0, stream.uniform(2, 12), (size[1], size[0], 3))
        pixels = numpy.asarray(image.resize(size), dtype=numpy.float64) + noise
        image = Image.fromarray(pixels.clip(0, 255).astype(numpy.uint8))
    return image


def prepare(image, width):
    wide = min(width, -(-HEIGHT * image.width // image.height))
    pixels = numpy.asarray(image.resize((wide, HEIGHT), Image.BILINEAR), dtype=numpy.float32)
    values = numpy.zeros((1, 3, HEIGHT, width), dtype=numpy.float32)
    values[0, :, :, :wide] = (pixels.transpose(2, 0, 1) / 255 - 0.5) / 0.5
    return values


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=sorted(WIDTHS))
    parser.add_argument("out")
    parser.add_argument("--calibration", type=int, default=48)
    parser.add_argument("--test", type=int, default=500)
    arguments = parser.parse_args()
    width, seen = WIDTHS[arguments.network], set()
    for name, count, seed in [("calibration", arguments.calibration, 1), ("test", arguments.test, 2)]:
        stream = random.Random(seed)
        folder = os.path.join(arguments.out, name)
        os.makedirs(folder, exist_ok=True)
        done = 0
        while done < count:
            text = line(stream, 28)
            image = render(text, stream)
            if text in seen:
                continue
            seen.add(text)
            if arguments.network == "cls" and done % 2:
                image = image.rotate(180)
            numpy.save(os.path.join(folder, f"{done:04d}.npy"), prepare(image, width))
            done += 1


if __name__ == "__main__":
    main()
