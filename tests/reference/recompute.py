"""Runs a saved network again with PyTorch alone: how many test samples it gets right, or how far off its numbers are.

  python3 tests/reference/recompute.py network.safetensors --data FOLDER

FOLDER holds the data set that the file names: the four idx files of Fashion-MNIST or MNIST (the rotated pictures are
made from them), or an image folder with classes. Needs torch, for an image folder Pillow; shares no code with topress:
the network is read from the graph in the file, operator by operator, exits stop samples as docs/configuration.md says.
--rounding N scores it N times more with the sums of convolutions rounded otherwise: where a value lies between two steps
of a quantizer that decides, and the scores that come out say how far a count can be told at all.
--answers FILE compares with what `topress eval network.safetensors --answers FILE` wrote, picture by picture.
"""
import argparse
import csv
import gzip
import json
import math
import pathlib
import struct
import sys

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


def random_stream(seed):
    """SplitMix64: numbers below 2^64."""
    mask = 2 ** 64 - 1
    while True:
        seed = (seed + 0x9E3779B97F4A7C15) & mask
        value = ((seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9) & mask
        value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & mask
        yield value ^ (value >> 31)


def rotate(images, angles):
    """Counter-clockwise by degrees around the middle, between pixels linear, black outside; (N, 1, H, W) bytes."""
    height, width = images.shape[2:]
    y, x = torch.meshgrid(torch.arange(height) - (height - 1) / 2, torch.arange(width) - (width - 1) / 2, indexing="ij")
    y, x = y.double(), x.double()
    padded = F.pad(images[:, 0].double(), (1, 2, 1, 2))
    turned = torch.empty_like(images)
    for index, angle in enumerate(angles):
        sine, cosine = math.sin(math.radians(angle)), math.cos(math.radians(angle))
        from_y = (height - 1) / 2 + cosine * y + sine * x
        from_x = (width - 1) / 2 + cosine * x - sine * y
        top, left = from_y.floor(), from_x.floor()
        down, right = from_y - top, from_x - left

        def at(row, column):
            row, column = (row + 1).clamp(0, height + 1).long(), (column + 1).clamp(0, width + 1).long()
            return padded[index][row, column]

        above = (1 - right) * at(top, left) + right * at(top, left + 1)
        below = (1 - right) * at(top + 1, left) + right * at(top + 1, left + 1)
        turned[index, 0] = ((1 - down) * above + down * below + 0.5).floor().to(torch.uint8)
    return turned


def read_image_folder(folder):
    """Test pictures and classes, both sorted by name."""
    from PIL import Image
    import numpy
    images, labels = [], []
    for label, place in enumerate(sorted(path for path in (folder / "test").iterdir() if path.is_dir())):
        for file in sorted(place.iterdir()):
            images.append(torch.from_numpy(numpy.array(Image.open(file).convert("RGB"))).permute(2, 0, 1))
            labels.append(label)
    return torch.stack(images), torch.tensor(labels)


def read_test_split(dataset, folder):
    """Pictures (N, C, H, W) of bytes, and labels: classes (N) or numbers (N, D)."""
    if dataset == "image-folder":
        return read_image_folder(folder)
    images = read_idx(folder / "t10k-images-idx3-ubyte.gz").unsqueeze(1)
    if dataset == "rotated-fashion-mnist":
        stream = random_stream(2)
        angles = [(2 * ((next(stream) >> 11) / 2 ** 53) - 1) * 60 for _ in range(len(images))]
        return rotate(images, angles), torch.tensor(angles).unsqueeze(1)
    return images, read_idx(folder / "t10k-labels-idx1-ubyte.gz").long()


def in_steps(x, scale, axis):
    """(x in steps, the scale in its shape); scale: one, or one for each index of `axis`."""
    if axis >= 0:
        scale = scale.reshape([-1 if index == axis else 1 for index in range(x.dim())])
    return x / scale, scale


def code_range(bits, signed):
    return (-2 ** (bits - 1), 2 ** (bits - 1) - 1) if signed else (0, 2 ** bits - 1)


def quantize(x, scale, bits, signed, axis):
    steps, scale = in_steps(x, scale, axis)
    if bits == 1 and signed:
        return torch.where(x >= 0, scale, -scale)
    return steps.round().clamp(*code_range(bits, signed)) * scale


def middle_distance(x, scale, bits, signed, axis):
    """Of every sample (N, ...): how far from the middle between two steps its nearest value is, in steps."""
    steps = in_steps(x, scale, axis)[0].flatten(1)
    if bits == 1 and signed:
        return steps.abs().amin(1)
    low, high = code_range(bits, signed)
    distance = (steps - steps.floor() - 0.5).abs()
    return distance.masked_fill((steps < low - 0.5) | (steps > high + 0.5), 0.5).amin(1)


def quantizer(node):
    """bits, signed, axis."""
    attributes = node["attributes"]
    return attributes.get("bits", 8), attributes.get("signed", True), attributes.get("axis", -1)


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
        return quantize(x, rest[0], *quantizer(node))
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


def closeness(numbers, previous):
    """Of two exits that answer numbers: 1 where they are the same, less the further apart."""
    if previous is None:
        return torch.full((len(numbers),), -1.0)
    return 1 / (1 + (numbers - previous).abs().amax(1))


def sureness(exit_, said, previous):
    compared = {"agreement": agreement, "closeness": closeness}.get(exit_["criterion"])
    return compared(said, previous) if compared else CRITERIA[exit_["criterion"]](said)


ROUNDING = 3e-7  # of a sum of float products, relative: a few units of the last place


def answers(graph, tensors, images, rounding=None, nearest=None):
    """What the network says of every picture, from the exit it takes: logits, or numbers. `rounding`: a generator.
    `nearest` (N): lowered to how near values come to the middle between two steps of a quantizer."""
    values = {**tensors, graph["input"]["name"]: images}
    for node in graph["nodes"]:
        value = run_node(node, values)
        if nearest is not None and node["op"] == "quantize" and node["inputs"][0] not in tensors:
            own = middle_distance(*(values[name] for name in node["inputs"]), *quantizer(node))
            torch.minimum(nearest, own, out=nearest)
        if rounding and node["op"] == "conv2d":
            value = value * (1 + ROUNDING * torch.randn(value.shape, generator=rounding))
        values[node["outputs"][0]] = value
    answer = values[graph["output"]]
    said = [None, *(values[exit_["logits"]] for exit_ in graph["exits"])]
    for exit_, previous, own in reversed(list(zip(graph["exits"], said, said[1:]))):
        leaves = sureness(exit_, own, previous) >= exit_["threshold"]
        answer = torch.where(leaves.unsqueeze(1), own, answer)
    return answer


def score(data, answer, labels):
    """Samples that are right; of numbers R2 and the root mean square error in their own unit, means over targets."""
    if not data.get("targets"):
        return {"right": int((answer.argmax(1) == labels).sum()), "samples": len(labels)}
    numbers = answer.double() * torch.tensor(data["target_deviation"]) + torch.tensor(data["target_mean"])
    labels = labels.double()
    squares = (numbers - labels).square().mean(0)
    variance = (labels - labels.mean(0)).square().mean(0)
    return {"r2": float((1 - squares / variance).mean()), "error": float(squares.sqrt().mean()), "samples": len(labels)}


APART = 1e-3  # logits that differ by more were not made by the same steps of the quantizers


def read_answers(path, data):
    """What `topress eval --answers` wrote: (N, C) logits, or (N, D) numbers in units of their deviation."""
    with open(path, newline="", encoding="utf-8") as file:
        head, *lines = csv.reader(file)
    targets = data.get("targets") or []
    columns = [head.index(f"{target} answer") for target in targets] or [
        index for index, name in enumerate(head) if name.startswith("logit ")]
    said = torch.tensor([[float(line[column]) for column in columns] for line in lines], dtype=torch.double)
    return (said - torch.tensor(data["target_mean"])) / torch.tensor(data["target_deviation"]) if targets else said


def compare(said, answer, nearest, is_classes):
    """Where two programs answer the same pictures differently, and whether a quantizer's rounding can be why."""
    differences = (said - answer.double()).abs().amax(1)
    apart = differences > APART
    found = {"compared": len(said), "apart": int(apart.sum()),
             "largest difference of the others": float(differences[~apart].max()) if not apart.all() else None}
    if is_classes:
        found["other answer"] = int((said.argmax(1) != answer.argmax(1)).sum())
    if apart.any():
        bound = float(nearest[apart].max())
        found["steps from the middle, those apart: at most"] = bound
        found["of the others as near"] = int((nearest[~apart] <= bound).sum())
    return found


@torch.inference_mode()
def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("network")
    parser.add_argument("--data", required=True)
    parser.add_argument("--rounding", type=int, default=0, metavar="N", help="score again, rounded otherwise, N times")
    parser.add_argument("--answers", metavar="FILE", help="compare with what topress eval --answers wrote")
    given = parser.parse_args()
    graph, tensors, data = read_network(given.network)
    images, labels = read_test_split(data["dataset"], pathlib.Path(given.data))
    mean, deviation = (torch.tensor(data[name], dtype=torch.double)[:, None, None] for name in ("mean", "deviation"))

    said = read_answers(given.answers, data) if given.answers else None
    if said is not None and len(said) != len(images):
        sys.exit(f"{given.answers} has {len(said)} answers, the test split {len(images)} samples: "
                 "write it with topress eval NETWORK --all-samples --answers FILE")

    def run(numbers, rounding=None):
        cast = {name: value.to(numbers) if value.is_floating_point() else value for name, value in tensors.items()}
        nearest = torch.full((len(images),), 0.5, dtype=numbers) if said is not None else None
        parts = [answers(graph, cast, ((pictures.double() / 255 - mean) / deviation).float().to(numbers), rounding,
                         None if nearest is None else nearest[250 * part:250 * (part + 1)])
                 for part, pictures in enumerate(images.split(250))]
        answer = torch.cat(parts)
        print(json.dumps(score(data, answer, labels)))
        if said is not None:
            print(json.dumps(compare(said, answer, nearest, not data.get("targets"))))

    # Where a value lies between two steps of a quantizer the last bit of a float decides, and now and then the answer
    # with it. Networks without one are left in float, which is many times faster.
    run(torch.double if any(node["op"] == "quantize" for node in graph["nodes"]) else torch.float)
    for seed in range(given.rounding):
        run(torch.float, torch.Generator().manual_seed(seed))


if __name__ == "__main__":
    main()
