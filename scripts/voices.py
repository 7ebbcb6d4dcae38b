#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes recordings for the voice-activity model of silero-vad: sentences between pauses, in noise and music.

    voices.py OUT [--calibration N] [--test N] [--seconds S] [--float MODEL]

Writes OUT/calibration/*.npy and OUT/test/*.npy: f32 from -1 to 1 at 16 kHz. The sets share no voice, no text and no
random stream. Sentences are spoken by espeak-ng and flite, the texts are licences of /usr/share/common-licenses, and
the recorded words of /usr/share/sounds/alsa (package alsa-utils) are in the test set only. The noise is white, pink,
brown, a hum, or chords, from 0 to 30 dB below the voice, and every loudness from a whisper to the limit occurs. With
--float, OUT/float/*.npy gets the probability of each frame of each test recording as onnxruntime computes it. Needs
espeak-ng, flite, numpy, and onnxruntime for --float.
"""
import argparse
import glob
import io
import os
import random
import re
import subprocess
import wave

import numpy

RATE = 16000
TEXTS = {"calibration": "Apache-2.0", "test": "GPL-3"}
VOICES = {
    "calibration": [("flite", "rms"), ("flite", "kal16")]
    + [("espeak-ng", voice) for voice in ("en-us", "en-us+f1", "en-us+m3", "de+f5", "it+m1", "en-029+f2")],
    "test": [("flite", "slt"), ("flite", "awb")]
    + [("espeak-ng", voice) for voice in ("en-gb+m7", "en-gb-scotland+f4", "fr+f3", "es+m5", "pl+m6", "nl+croak")],
}


def resampled(samples, rate):
    """The same sound at RATE, by its spectrum."""
    if rate == RATE:
        return samples
    count = round(len(samples) * RATE / rate)
    spectrum = numpy.fft.rfft(samples)
    kept = numpy.zeros(count // 2 + 1, dtype=complex)
    least = min(len(kept), len(spectrum))
    kept[:least] = spectrum[:least]
    return numpy.fft.irfft(kept, count) * (count / len(samples))


def sound(data):
    with wave.open(io.BytesIO(data)) as file:
        frames = file.readframes(file.getnframes())
        samples = numpy.frombuffer(frames, dtype="<i2").reshape(-1, file.getnchannels()).mean(axis=1)
        return resampled(samples / 32768, file.getframerate())


def spoken(engine, voice, text, stream):
    if engine == "flite":
        command = ["flite", "-voice", voice, "-t", text, "-o", "/dev/stdout"]
    else:
        pace, pitch = stream.randrange(130, 210), stream.randrange(25, 75)
        command = ["espeak-ng", "-v", voice, "-s", str(pace), "-p", str(pitch), "--stdout", text]
    data = bytearray(subprocess.run(command, check=True, capture_output=True).stdout)
    # What is written to a pipe does not know its length.
    place = data.index(b"data")
    data[place + 4 : place + 8] = (len(data) - place - 8).to_bytes(4, "little")
    return sound(bytes(data))


def sentences(name):
    with open(os.path.join("/usr/share/common-licenses", name), encoding="utf-8", errors="ignore") as file:
        words = re.sub(r"[^A-Za-z,.;:' ]+", " ", " ".join(file.read().split()))
    found = re.split(r"(?<=[.;:])\s+", words)
    return [sentence for sentence in found if 4 <= len(sentence.split()) <= 25]


def noise(kind, count, stream):
    """A background of power 1."""
    numbers = numpy.random.default_rng(stream.randrange(1 << 30))
    time = numpy.arange(count) / RATE
    if kind == "hum":
        base = stream.choice([50, 60, 100])
        made = sum(numpy.sin(2 * numpy.pi * base * k * time) / k for k in range(1, 9))
        made += 0.05 * numbers.standard_normal(count)
    elif kind == "chords":
        made = numpy.zeros(count)
        for start in range(0, count, RATE // 2):
            part = slice(start, min(count, start + RATE // 2))
            fade = numpy.exp(-4 * (time[part] - time[start]))
            for step in stream.sample([0, 3, 4, 7, 9, 12, 16, 19], 3):
                tone = 220 * 2 ** (step / 12)
                made[part] += fade * sum(numpy.sin(2 * numpy.pi * tone * k * time[part]) / k**2 for k in (1, 2, 3))
    else:
        spectrum = numpy.fft.rfft(numbers.standard_normal(count))
        slope = {"white": 0, "pink": 0.5, "brown": 1}[kind]
        made = numpy.fft.irfft(spectrum / numpy.maximum(numpy.arange(len(spectrum)), 20) ** slope, count)
    return made / numpy.sqrt(numpy.mean(made**2) + 1e-12)


def recording(name, texts, recorded, seconds, stream):
    count = seconds * RATE
    voice = numpy.zeros(count)
    engine = stream.choice(VOICES[name])
    # Now and then nobody speaks at all.
    place = count if stream.random() < 0.1 else int(stream.uniform(0.2, 2.5) * RATE)
    while place < count:
        if recorded and stream.random() < 0.3:
            words = stream.choice(recorded)
        else:
            words = spoken(*engine, stream.choice(texts), stream)
        words = words * (0.1 / numpy.sqrt(numpy.mean(words**2) + 1e-12)) * stream.uniform(0.5, 1.5)
        part = words[: count - place]
        voice[place : place + len(part)] += part
        place += len(part) + int(stream.choice([0.1, 0.3, 1, 2, 3]) * stream.uniform(0.5, 1.5) * RATE)
        if stream.random() < 0.2:
            engine = stream.choice(VOICES[name])
    kind = stream.choice(["silence", "white", "pink", "brown", "hum", "chords"])
    if kind != "silence":
        voice += noise(kind, count, stream) * 0.1 * 10 ** (-stream.choice([0, 5, 10, 20, 30]) / 20)
    loudest = 10 ** (-stream.choice([0, 0, 6, 12, 20, 30]) / 20)
    return (voice * (loudest / max(1e-6, numpy.max(numpy.abs(voice))))).astype(numpy.float32)


def probabilities(session, samples):
    """As the package does it: 64 samples of the frame before, 512 new ones, the state carried."""
    state = numpy.zeros((2, 1, 128), dtype=numpy.float32)
    padded = numpy.concatenate([numpy.zeros(64), samples, numpy.zeros(-len(samples) % 512)]).astype(numpy.float32)
    found = []
    for start in range(0, len(padded) - 64, 512):
        given = {"input": padded[None, start : start + 576], "state": state, "sr": numpy.array(RATE)}
        probability, state = session.run(None, given)
        found.append(probability[0, 0])
    return numpy.array(found, dtype=numpy.float32)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--calibration", type=int, default=16)
    parser.add_argument("--test", type=int, default=30)
    parser.add_argument("--seconds", type=int, default=24)
    parser.add_argument("--float", metavar="MODEL")
    arguments = parser.parse_args()
    counts = {"calibration": arguments.calibration, "test": arguments.test}
    recorded = []
    for path in sorted(glob.glob("/usr/share/sounds/alsa/*_*.wav")):
        with open(path, "rb") as file:
            recorded.append(sound(file.read()))
    for seed, (name, count) in enumerate(counts.items()):
        stream = random.Random(seed)
        texts = sentences(TEXTS[name])
        folder = os.path.join(arguments.out, name)
        os.makedirs(folder, exist_ok=True)
        for number in range(count):
            made = recording(name, texts, recorded if name == "test" else [], arguments.seconds, stream)
            numpy.save(os.path.join(folder, f"{number:04d}.npy"), made)
        print(count, name, "recordings of", arguments.seconds, "s")
    if arguments.float:
        import onnxruntime

        session = onnxruntime.InferenceSession(arguments.float, providers=["CPUExecutionProvider"])
        folder = os.path.join(arguments.out, "float")
        os.makedirs(folder, exist_ok=True)
        for path in sorted(glob.glob(os.path.join(arguments.out, "test", "*.npy"))):
            found = probabilities(session, numpy.load(path))
            numpy.save(os.path.join(folder, os.path.basename(path)), found)
            print(os.path.basename(path), len(found), "frames, speech in", int((found >= 0.5).sum()))


if __name__ == "__main__":
    main()
