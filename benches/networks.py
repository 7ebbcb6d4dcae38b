#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whole networks on the CPU path beside onnxruntime, both on the same inputs and threads, in turn.

    networks.py --bin NETWORKS --minilm PACKAGE --sentences DIR --rivals DIR --magika PACKAGE MODEL.onnx
                [--threads N..] [--seconds S] [--only NAME]

Prints, for each network, batch and number of threads, the median seconds of ours and of each rival, and the ratio
of the fastest int8 rival (for magika: of its f32 runtime) to ours: above 1 where ours is faster. In brackets the
same of the best samples and, on one thread, of the time on a processor. All stay loaded;
one round takes one sample of each, so that all see the same noise of the machine. Before anything is timed the
outputs are compared. Needs the packages numpy and onnxruntime.
"""
import argparse
import glob
import json
import os
import platform
import statistics
import subprocess
import tempfile
import time

import numpy
import onnxruntime

BATCHES = (1, 32)


class Ours:
    """The process that runs a compiled package."""

    def __init__(self, binary, package, inputs, threads):
        with open(os.path.join(package, "card.json"), encoding="utf-8") as file:
            self.card = json.load(file)
        self.file = tempfile.NamedTemporaryFile()
        self.file.write(inputs.astype("<i4").tobytes())
        self.file.flush()
        self.process = subprocess.Popen(
            [binary, package, self.file.name, str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit("networks.py: error: our side ended; see above")
        return answer.split()

    def run(self, count):
        return tuple(map(float, self.ask(f"run {count}")))

    def output(self, index):
        card = self.card["output"]
        kind = {"i8": "i1", "i16": "<i2", "i32": "<i4"}[card["dtype"]]
        stored = bytes.fromhex(self.ask(f"output {index}")[0])
        return (numpy.frombuffer(stored, kind).astype(float) - card["zero"]) * card["unit"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Rival:
    """A session of onnxruntime."""

    def __init__(self, path, threads, feed):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.feed = feed

    def output(self):
        return self.session.run(None, self.feed)[0]

    def run(self):
        start, before = time.perf_counter(), time.process_time()
        self.output()
        return time.perf_counter() - start, time.process_time() - before


def cosine(a, b):
    return float(numpy.dot(a, b) / numpy.linalg.norm(a) / numpy.linalg.norm(b))


def rounds(sides, seconds):
    """Samples of each side, in turn: seconds on the clock and on a processor."""
    for side in sides.values():
        side()
        side()
    samples = {name: [] for name in sides}
    end = time.time() + seconds
    while time.time() < end or len(samples[next(iter(samples))]) < 7:
        for name, side in sides.items():
            # Threads of the one before stop spinning.
            time.sleep(0.01)
            samples[name].append(side())
    return {name: list(zip(*all)) for name, all in samples.items()}


def report(name, threads, samples, rivals):
    """Both medians of each side, and how often ours fits in the time of the strongest rival. On one thread the
    seconds on a processor say more on a machine that others use."""
    clock = {side: statistics.median(all[0]) for side, all in samples.items()}
    best = {side: min(all[0]) for side, all in samples.items()}
    busy = {side: statistics.median(all[1]) for side, all in samples.items()}
    text = [f"{side} {clock[side] * 1e3:.2f} ms (best {best[side] * 1e3:.2f})" for side in samples]
    strongest = min(rivals, key=clock.get)
    ratios = f"{strongest} / ours {clock[strongest] / clock['ours']:.2f} (best {best[strongest] / best['ours']:.2f}"
    if threads == 1:
        ratios += f", processor {busy[strongest] / busy['ours']:.2f}"
    print(f"{name}, {threads} threads: {', '.join(text)}; {ratios})", flush=True)


def minilm(arguments, threads):
    files = sorted(glob.glob(os.path.join(arguments.sentences, "*.npy")))[: max(BATCHES)]
    tokens = numpy.concatenate([numpy.load(file) for file in files])
    ours = Ours(arguments.bin, arguments.minilm, tokens, threads)
    for batch in BATCHES:
        ids = tokens[:batch].astype(numpy.int64)
        feed = {"input_ids": ids, "attention_mask": (ids != 0).astype(numpy.int64)}
        kinds = [f"{kind}-{width}" for width in ("int8", "f32") for kind in ("plain", "fused")]
        rivals = {
            f"ort {kind}": Rival(os.path.join(arguments.rivals, f"minilm-{kind}.onnx"), threads, feed) for kind in kinds
        }
        exact = rivals["ort plain-f32"].output()
        agree = {name: min(map(cosine, exact, rival.output())) for name, rival in rivals.items()}
        agree["ours"] = min(cosine(exact[index], ours.output(index)) for index in range(batch))
        print("least cosine to f32:", ", ".join(f"{name} {value:.4f}" for name, value in agree.items()))
        sides = {"ours": lambda: ours.run(batch)} | {name: rival.run for name, rival in rivals.items()}
        samples = rounds(sides, arguments.seconds)
        report(f"MiniLM, batch {batch}", threads, samples, [name for name in rivals if "int8" in name])
    shares = []
    for _ in range(7):
        total, hashing = map(float, ours.ask(f"commit {max(BATCHES)}"))
        shares.append(hashing / (total - hashing))
    print(f"MiniLM, batch {max(BATCHES)}, {threads} threads: commitments {statistics.median(shares):.1%} of execution")
    constants, blobs, values, live = map(int, ours.ask("memory"))
    print(
        f"MiniLM: constants {constants / 1e6:.1f} MB, read from mapped blobs {blobs / 1e6:.1f} MB, "
        f"values {values / 1e6:.2f} MB, largest live set {live / 1e6:.2f} MB"
    )
    ours.close()


def magika(arguments, threads):
    package, model = arguments.magika
    random = numpy.random.default_rng(1)
    tokens = random.integers(0, 257, (1, 2048)).astype(numpy.int32)
    with open(__file__, "rb") as file:
        text = numpy.frombuffer(file.read(1024), numpy.uint8)
    tokens[0, : len(text)] = text
    ours = Ours(arguments.bin, package, tokens, threads)
    name = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"]).get_inputs()[0].name
    rival = Rival(model, threads, {name: tokens})
    assert int(numpy.argmax(rival.output())) == int(numpy.argmax(ours.output(0))), "both see the same type"
    samples = rounds({"ours": lambda: ours.run(1), "ort f32": rival.run}, arguments.seconds)
    report("magika, one file", threads, samples, ["ort f32"])
    ours.close()


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    return names[0] if names else platform.processor()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--minilm", required=True)
    parser.add_argument("--sentences", required=True)
    parser.add_argument("--rivals", required=True)
    parser.add_argument("--magika", nargs=2, required=True)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--only")
    arguments = parser.parse_args()
    versions = f"onnxruntime {onnxruntime.__version__}, numpy {numpy.__version__}"
    load = os.getloadavg()[0]
    print(f"{time.strftime('%Y-%m-%d')}, {processor()}, {os.cpu_count()} cores, load {load:.1f}, {versions}", flush=True)
    for threads in arguments.threads:
        for network in (minilm, magika):
            if arguments.only in (None, network.__name__):
                network(arguments, threads)


if __name__ == "__main__":
    main()
