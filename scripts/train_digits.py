#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the tiny model of the tests: a 64-32-10 perceptron on scikit-learn's 8x8 digits.

Writes compiler/tests/data/digits.onnx and digits.json (every fifth sample, held out, with its label).
Both are committed; run this again only to change them:

    python3 -m venv venv && venv/bin/pip install scikit-learn==1.9.1 onnx==1.23.2
    venv/bin/python scripts/train_digits.py
"""

import json
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits

OUT = pathlib.Path(__file__).resolve().parent.parent / "compiler" / "tests" / "data"


def train(x, y, epochs=150, batch=32, rate=0.002):
    """Adam on the cross-entropy, with a little weight decay."""
    rng = np.random.default_rng(7)
    sizes = [64, 32, 10]
    params = []
    for n, m in zip(sizes, sizes[1:]):
        params += [rng.normal(0, np.sqrt(2 / n), (n, m)), np.zeros(m)]
    first = [np.zeros_like(p) for p in params]
    second = [np.zeros_like(p) for p in params]
    step = 0
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(x), batch):
            pick = order[start : start + batch]
            a, target = x[pick], y[pick]
            w1, b1, w2, b2 = params
            h = np.maximum(a @ w1 + b1, 0)
            z = h @ w2 + b2
            p = np.exp(z - z.max(1, keepdims=True))
            p /= p.sum(1, keepdims=True)
            p[np.arange(len(pick)), target] -= 1
            p /= len(pick)
            dh = (p @ w2.T) * (h > 0)
            grads = [a.T @ dh, dh.sum(0), h.T @ p, p.sum(0)]
            step += 1
            for i, g in enumerate(grads):
                g = g + 1e-4 * params[i]
                first[i] = 0.9 * first[i] + 0.1 * g
                second[i] = 0.999 * second[i] + 0.001 * g * g
                m = first[i] / (1 - 0.9**step)
                v = second[i] / (1 - 0.999**step)
                params[i] = params[i] - rate * m / (np.sqrt(v) + 1e-8)
    return [p.astype(np.float32) for p in params]


def model(params):
    names = ["hidden.weight", "hidden.bias", "output.weight", "output.bias"]
    constants = [numpy_helper.from_array(p, n) for p, n in zip(params, names)]
    nodes = [
        helper.make_node("MatMul", ["pixels", names[0]], ["hidden.sum"], "hidden.matmul"),
        helper.make_node("Add", ["hidden.sum", names[1]], ["hidden.pre"], "hidden.add"),
        helper.make_node("Relu", ["hidden.pre"], ["hidden"], "hidden.relu"),
        helper.make_node("Gemm", ["hidden", names[2], names[3]], ["logits"], "output.gemm"),
        helper.make_node("Softmax", ["logits"], ["digit"], "softmax", axis=1),
    ]
    pixels = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1, 64])
    digit = helper.make_tensor_value_info("digit", TensorProto.FLOAT, [1, 10])
    graph = helper.make_graph(nodes, "digits", [pixels], [digit], constants)
    opset = helper.make_opsetid("", 15)
    made = helper.make_model(graph, producer_name="train_digits.py", opset_imports=[opset])
    made.ir_version = 8
    onnx.checker.check_model(made)
    return made


def main():
    digits = load_digits()
    x, y = digits.data.astype(np.float64), digits.target
    held = np.arange(len(x)) % 5 == 0
    params = train(x[~held], y[~held])
    w1, b1, w2, b2 = params
    z = np.maximum(x[held] @ w1 + b1, 0) @ w2 + b2
    print("accuracy on held-out samples: %.4f" % (z.argmax(1) == y[held]).mean())
    OUT.mkdir(parents=True, exist_ok=True)
    onnx.save(model(params), OUT / "digits.onnx")
    # Sixteen grey levels and one: pixels as letters a..q.
    rows = ["".join(chr(97 + int(v)) for v in row) for row in x]
    pick = lambda mask: [{"pixels": rows[i], "label": int(y[i])} for i in np.flatnonzero(mask)]
    calibration = pick((np.arange(len(x)) % 20 == 1))
    text = json.dumps({"test": pick(held), "calibration": calibration}, separators=(",", ":"))
    (OUT / "digits.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
