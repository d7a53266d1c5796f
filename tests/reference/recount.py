"""Counts a saved network again, in plain Python from the file alone: MACs, BitOps, parameters, stored bytes.

  python3 tests/reference/recount.py network.safetensors [--json]

Shares no code with topress. The rules are those of docs/configuration.md: BitOps = MACs * bits of the weight * bits of
the input; with exits every layer counts as often as samples reach it; batch norm's running statistics and quantizer
scales are stored but are no parameters.
"""
import argparse
import json
import math
import struct


def read_header(path):
    """(graph, {tensor name: shape}) of a safetensors file."""
    with open(path, "rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
    metadata = header.pop("__metadata__")
    return json.loads(metadata["topress.graph"]), {name: entry["shape"] for name, entry in header.items()}


def pair(attributes, name, default):
    return attributes.get(name, [default, default])


def slid(size, kernel, stride, padding, dilation=1):
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


class Count:
    def __init__(self, graph, shapes):
        self.graph = graph
        self.weights = shapes
        self.roles = {parameter["name"]: parameter["role"] for parameter in graph["parameters"]}
        self.shapes = {graph["input"]["name"]: graph["input"]["shape"], **shapes}
        self.made_by = {output: node for node in graph["nodes"] for output in node["outputs"]}
        for node in graph["nodes"]:
            self.shapes[node["outputs"][0]] = self.shape_after(node)

    def shape_after(self, node):
        first = self.shapes[node["inputs"][0]]
        attributes = node["attributes"]
        if node["op"] == "conv2d":
            weight = self.shapes[node["inputs"][1]]
            sides = [slid(first[1 + axis], weight[2 + axis], pair(attributes, "stride", 1)[axis],
                          pair(attributes, "padding", 0)[axis], pair(attributes, "dilation", 1)[axis])
                     for axis in (0, 1)]
            return [weight[0], *sides]
        if node["op"] == "linear":
            return [self.shapes[node["inputs"][1]][0]]
        if node["op"] in ("max_pool", "avg_pool"):
            kernel = pair(attributes, "kernel", 2)
            stride = attributes.get("stride", kernel)
            return [first[0]] + [slid(first[1 + axis], kernel[axis], stride[axis],
                                      pair(attributes, "padding", 0)[axis]) for axis in (0, 1)]
        if node["op"] == "global_avg_pool":
            return [first[0], 1, 1]
        if node["op"] == "concat":
            return [sum(self.shapes[value][0] for value in node["inputs"]), *first[1:]]
        if node["op"] == "flatten":
            return [math.prod(first)]
        return first  # relu, add, batch_norm, quantize

    def bits(self, value):
        node = self.made_by.get(value)
        while node is not None and node["op"] in ("max_pool", "flatten"):
            node = self.made_by.get(node["inputs"][0])
        return node["attributes"].get("bits", 8) if node is not None and node["op"] == "quantize" else 32

    def macs(self, node):
        if node["op"] not in ("conv2d", "linear"):
            return 0
        outputs = self.shapes[node["outputs"][0]]
        positions = outputs[1] * outputs[2] if node["op"] == "conv2d" else 1
        return math.prod(self.shapes[node["inputs"][1]]) * positions

    def behind(self, values):
        """Names of all nodes that these values need."""
        pending, needed = list(values), set()
        while pending:
            node = self.made_by.get(pending.pop())
            if node is not None and node["name"] not in needed:
                needed.add(node["name"])
                pending += node["inputs"]
        return needed

    def reach(self):
        """Share of samples that run each node."""
        share_left, done, result = 1.0, set(), {}
        for exit_ in self.graph["exits"] + [{"logits": self.graph["output"], "share": 0.0}]:
            for name in self.behind([exit_["logits"]]) - done:
                result[name] = share_left
                done.add(name)
            share_left = max(0.0, share_left - (exit_["share"] or 0.0))
        return result

    def stored_bits(self, parameter):
        """The finest of its readers; 32 where somebody reads it as it is."""
        bits = [node["attributes"].get("bits", 8) if node["op"] == "quantize" and index == 0 else 32
                for node in self.graph["nodes"] for index, value in enumerate(node["inputs"]) if value == parameter]
        return max(bits, default=32)

    def totals(self):
        reach = self.reach()
        result = {"macs": 0, "bitops": 0, "expected_macs": 0.0, "expected_bitops": 0.0, "parameters": 0,
                  "stored_bytes": 0}
        for node in self.graph["nodes"]:
            macs = self.macs(node)
            if macs == 0 or node["name"] not in reach:
                continue
            bitops = macs * self.bits(node["inputs"][1]) * self.bits(node["inputs"][0])
            result["macs"] += macs
            result["bitops"] += bitops
            result["expected_macs"] += macs * reach[node["name"]]
            result["expected_bitops"] += bitops * reach[node["name"]]
        for name, role in self.roles.items():
            elements = math.prod(self.weights[name])
            result["parameters"] += 0 if role in ("buffer", "scale") else elements
            bits = self.stored_bits(name) if role == "weight" else 32
            result["stored_bytes"] += math.ceil(elements * bits / 8)
        return result


def recount(path):
    return Count(*read_header(path)).totals()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("network")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    totals = recount(given.network)
    if given.json:
        print(json.dumps(totals))
        return
    for name, value in totals.items():
        print(f"{name:16} {value:,.0f}")


if __name__ == "__main__":
    main()
