#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns sentences of text files into tokens for a sentence encoder.

    sentences.py TOKENIZER_JSON OUT PLACES FILE... [--calibration N] [--test N]

Takes every sentence of 4 to 60 words that is found once, alternately for OUT/calibration and OUT/test until both have
enough, and writes i32 arrays [1, PLACES] with 0 behind the sentence. Needs the packages tokenizers and numpy.
"""
import argparse
import os
import re

import numpy
from tokenizers import Tokenizer


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tokenizer")
    parser.add_argument("out")
    parser.add_argument("places", type=int)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--calibration", type=int, default=32)
    parser.add_argument("--test", type=int, default=500)
    arguments = parser.parse_args()
    tokenizer = Tokenizer.from_file(arguments.tokenizer)
    tokenizer.no_padding()
    tokenizer.enable_truncation(arguments.places)
    seen, found = set(), []
    for path in sorted(arguments.files):
        with open(path, encoding="utf-8", errors="ignore") as text:
            words = re.sub(r"[`*#>|=\[\]_]+", " ", text.read())
        for sentence in re.split(r"(?<=[.!?])\s+", " ".join(words.split())):
            if 4 <= len(sentence.split()) <= 60 and re.match(r"[A-Z][a-z ]", sentence) and sentence not in seen:
                seen.add(sentence)
                found.append(sentence)
    step = max(1, len(found) // (arguments.calibration + arguments.test))
    found = found[::step]
    every = max(2, (arguments.calibration + arguments.test) // arguments.calibration)
    sets = {"calibration": found[::every][: arguments.calibration], "test": []}
    chosen = set(sets["calibration"])
    sets["test"] = [sentence for sentence in found if sentence not in chosen][: arguments.test]
    for name, sentences in sets.items():
        folder = os.path.join(arguments.out, name)
        os.makedirs(folder, exist_ok=True)
        for number, sentence in enumerate(sentences):
            tokens = numpy.zeros((1, arguments.places), dtype=numpy.int32)
            ids = tokenizer.encode(sentence).ids
            tokens[0, : len(ids)] = ids
            numpy.save(os.path.join(folder, f"{number:04d}.npy"), tokens)
        print(len(sentences), name, "sentences, for example:", sentences[0])


if __name__ == "__main__":
    main()
