"""Runs a saved network again with PyTorch alone, and counts how many test samples it gets right.

  python3 tests/reference/recompute.py network.safetensors --data FOLDER

FOLDER holds the four files of Fashion-MNIST or MNIST. Needs torch; shares no code with topress: the network is read
from the graph in the file, operator by operator, exits stop samples as docs/configuration.md says.
"""
import argparse
import gzip
import json
import math
import pathlib
import struct

import torch
import torch.nn.functional as F


def read_network(path):
    """(graph, tensors, what the file says about its data)."""
    with open(path, "rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
        body = bytearray(file.read())
    metadata = header.pop("__metadata__")
    types = {"F32": torch.float32, "I64": torch.int64}
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        tensors[name] = torch.frombuffer(body[begin:end], dtype=types[entry["dtype"]]).reshape(entry["shape"])
    return json.loads(metadata["topress.graph"]), tensors, json.loads(metadata["topress.data"])


def read_idx(path):
    data = gzip.open(path).read()
    sizes = struct.unpack(">" + "I" * data[3], data[4:4 + 4 * data[3]])
    return torch.frombuffer(bytearray(data[4 + 4 * data[3]:]), dtype=torch.uint8).reshape(sizes)


def quantize(x, scale, bits, signed, axis):
    if bits == 1 and signed:
        scale = scale if axis < 0 else scale.reshape([-1 if index == axis else 1 for index in range(x.dim())])
        return torch.where(x >= 0, scale, -scale)
    low, high = (-2 ** (bits - 1), 2 ** (bits - 1) - 1) if signed else (0, 2 ** bits - 1)
    if axis >= 0:
        scale = scale.reshape([-1 if index == axis else 1 for index in range(x.dim())])
    return (x / scale).round().clamp(low, high) * scale


def run_node(node, values):
    x, *rest = [values[name] for name in node["inputs"]]
    attributes = node["attributes"]
    op = node["op"]
    if op == "conv2d":
        return F.conv2d(x, rest[0], rest[1] if len(rest) > 1 else None, attributes.get("stride", 1),
                        attributes.get("padding", 0), attributes.get("dilation", 1), attributes.get("groups", 1))
    if op == "linear":
        return F.linear(x, *rest)
    if op == "batch_norm":
        return F.batch_norm(x, rest[2], rest[3], rest[0], rest[1], eps=attributes.get("epsilon", 1e-5))
    if op == "quantize":
        return quantize(x, rest[0], attributes.get("bits", 8), attributes.get("signed", True),
                        attributes.get("axis", -1))
    if op in ("max_pool", "avg_pool"):
        pool = F.max_pool2d if op == "max_pool" else F.avg_pool2d
        kernel = attributes.get("kernel", [2, 2])
        return pool(x, kernel, attributes.get("stride", kernel), attributes.get("padding", 0))
    return {"relu": lambda: x.relu(), "add": lambda: x + rest[0], "flatten": lambda: x.flatten(1),
            "concat": lambda: torch.cat([x, *rest], 1), "global_avg_pool": lambda: x.mean((2, 3), keepdim=True)}[op]()


CRITERIA = {
    "max-probability": lambda logits: logits.softmax(1).amax(1),
    "margin": lambda logits: logits.softmax(1).topk(2, 1).values.diff(dim=1).neg().squeeze(1),
    "entropy": lambda logits: 1 + (logits.softmax(1) * logits.log_softmax(1)).sum(1) / math.log(logits.shape[1]),
}


def agreement(logits, previous):
    """Of the class that both exits name the lesser probability; -1 at the first exit, which lets nobody leave."""
    if previous is None:
        return torch.full((len(logits),), -1.0)
    now, before = logits.softmax(1).max(1), previous.softmax(1).max(1)
    return torch.minimum(now.values, before.values) * (now.indices == before.indices)


def sureness(exit_, logits, previous):
    if exit_["criterion"] == "agreement":
        return agreement(logits, previous)
    return CRITERIA[exit_["criterion"]](logits)


def answers(graph, tensors, images):
    """The class of every picture, from the exit it takes."""
    values = {**tensors, graph["input"]["name"]: images}
    for node in graph["nodes"]:
        values[node["outputs"][0]] = run_node(node, values)
    answer = values[graph["output"]].argmax(1)
    said = [None, *(values[exit_["logits"]] for exit_ in graph["exits"])]
    for exit_, previous, logits in reversed(list(zip(graph["exits"], said, said[1:]))):
        leaves = sureness(exit_, logits, previous) >= exit_["threshold"]
        answer = torch.where(leaves, logits.argmax(1), answer)
    return answer


@torch.inference_mode()
def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("network")
    parser.add_argument("--data", required=True)
    given = parser.parse_args()
    graph, tensors, data = read_network(given.network)
    if data.get("targets"):
        parser.error("the network answers numbers: there is no right or wrong to be counted")
    folder = pathlib.Path(given.data)
    images = read_idx(folder / "t10k-images-idx3-ubyte.gz").unsqueeze(1)
    labels = read_idx(folder / "t10k-labels-idx1-ubyte.gz").long()
    right = 0
    for picture, label in zip(images.split(500), labels.split(500)):
        scaled = (picture.double() / 255 - data["mean"][0]) / data["deviation"][0]
        right += int((answers(graph, tensors, scaled.float()) == label).sum())
    print(json.dumps({"right": right, "samples": len(labels)}))


if __name__ == "__main__":
    main()
