"""The chain of chain.toml glued from PyTorch, torch-pruning and brevitas: one JSON line with the time and the ledger.

Student, pruned network, quantized network and exits as chain.toml asks for them, at equal epochs. What none of the
packages counts (BitOps, parameters with their bits) is counted here by the rule of docs/configuration.md.
"""
import argparse
import copy
import gzip
import json
import pathlib
import resource
import struct
import time

import brevitas.nn as qnn
import torch
import torch.nn.functional as F
import torch_pruning
from brevitas.quant import Int8WeightPerChannelFloat, Uint8ActPerTensorFloat
from torch import nn

from resnet import ResNet, standardised_distillation

BATCH = 128
RATE = 0.15


def read_idx(path):
    data = gzip.open(path).read()
    dimensions = data[3]
    sizes = struct.unpack(">" + "I" * dimensions, data[4:4 + 4 * dimensions])
    return torch.frombuffer(bytearray(data[4 + 4 * dimensions:]), dtype=torch.uint8).reshape(sizes)


class Data:
    def __init__(self, folder, seed):
        folder = pathlib.Path(folder)
        images = read_idx(folder / "train-images-idx3-ubyte.gz").unsqueeze(1)
        labels = read_idx(folder / "train-labels-idx1-ubyte.gz").long()
        order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
        held = len(images) // 10
        mean, deviation = images[order[held:]].float().mean(), images[order[held:]].float().std()

        def prepare(pictures):
            return ((pictures.float() - mean) / deviation).contiguous(memory_format=torch.channels_last)

        self.train = prepare(images[order[held:]]), labels[order[held:]]
        self.validation = prepare(images[order[:held]]), labels[order[:held]]
        self.test = (prepare(read_idx(folder / "t10k-images-idx3-ubyte.gz").unsqueeze(1)),
                     read_idx(folder / "t10k-labels-idx1-ubyte.gz").long())


def batches(split, epochs):
    """Shuffled, mirrored at random, without the short last batch."""
    images, labels = split
    left = int(epochs * (len(labels) // BATCH) + 0.999999)
    while left > 0:
        for index in torch.randperm(len(labels)).split(BATCH):
            if left == 0 or len(index) < BATCH:
                break
            picture = images[index]
            mirrored = torch.rand(len(index), 1, 1, 1) < 0.5
            yield torch.where(mirrored, picture.flip(3), picture), labels[index]
            left -= 1


def fit(network, split, epochs, rate, loss, parameters=None):
    parameters = list(parameters or network.parameters())
    decayed = [p for p in parameters if p.dim() > 1]
    others = [p for p in parameters if p.dim() <= 1]
    steps = list(range(int(epochs * (len(split[1]) // BATCH) + 0.999999)))
    optimizer = torch.optim.SGD([{"params": decayed}, {"params": others, "weight_decay": 0.0}], rate, momentum=0.9,
                                nesterov=True, weight_decay=5e-4, fused=True)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=len(steps) + 1)
    for images, labels in batches(split, epochs):
        optimizer.zero_grad()
        loss(images, labels).backward()
        optimizer.step()
        scheduler.step()


@torch.no_grad()
def accuracy(network, split):
    network.eval()
    right = sum(int((network(images).argmax(1) == labels).sum())
                for images, labels in zip(split[0].split(256), split[1].split(256)))
    return right / len(split[1])


def macs_by_layer(network):
    """Multiply-accumulates of every convolution and linear layer for one picture, by name."""
    found, hooks = {}, []
    for name, module in network.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            def count(layer, inputs, output, name=name):
                value = getattr(output, "value", output)
                positions = value.shape[2] * value.shape[3] if value.dim() == 4 else 1
                found[name] = layer.weight.numel() * positions
            hooks.append(module.register_forward_hook(count))
    training = network.training
    network.eval()(torch.zeros(1, 1, 28, 28))
    network.train(training)
    for hook in hooks:
        hook.remove()
    return found


def prune(network, ratio, steps):
    """Group L2 importance, global, in steps, widths in multiples of four; the last layer keeps its classes."""
    example = torch.zeros(1, 1, 28, 28)
    target = sum(macs_by_layer(network).values()) * ratio
    pruner = torch_pruning.pruner.GroupNormPruner(
        network, example, importance=torch_pruning.importance.GroupMagnitudeImportance(p=2, normalizer="max"),
        global_pruning=True, iterative_steps=steps, pruning_ratio=0.8, round_to=4, ignored_layers=[network.linear])
    for _ in range(steps):
        pruner.step()
        if sum(macs_by_layer(network).values()) <= target:
            return


BITS = {"stem": 8, "linear": 8}  # the ends; everything between has four


def quantized(network):
    """The network with layers of brevitas in place of its own; the widths may be anything."""
    quantized_network = copy.deepcopy(network)

    def replace_conv(layer, bits):
        fresh = qnn.QuantConv2d(layer.in_channels, layer.out_channels, layer.kernel_size, layer.stride, layer.padding,
                                bias=False, weight_quant=Int8WeightPerChannelFloat, weight_bit_width=bits)
        fresh.weight.data.copy_(layer.weight.data)
        return fresh

    def activation(bits):
        return qnn.QuantReLU(act_quant=Uint8ActPerTensorFloat, bit_width=bits, return_quant_tensor=False)

    quantized_network.stem[0] = replace_conv(network.stem[0], 8)
    quantized_network.stem[2] = activation(4)
    for block, source in zip(quantized_network.blocks, network.blocks):
        block.conv1 = replace_conv(source.conv1, 4)
        block.relu1 = activation(4)
        block.conv2 = replace_conv(source.conv2, 4)
        block.relu2 = activation(4)
        if source.shortcut is not None:
            block.shortcut[0] = replace_conv(source.shortcut[0], 4)
    linear = qnn.QuantLinear(network.linear.in_features, network.linear.out_features, bias=True,
                             weight_quant=Int8WeightPerChannelFloat, weight_bit_width=8)
    linear.weight.data.copy_(network.linear.weight.data)
    linear.bias.data.copy_(network.linear.bias.data)
    quantized_network.linear = linear
    quantized_network.input_quantizer = qnn.QuantIdentity(bit_width=8, return_quant_tensor=False)
    quantized_network.pool_quantizer = activation(8)
    return quantized_network


class WithExits(nn.Module):
    """A network and two heads; the body stays as it is."""

    def __init__(self, network, places):
        super().__init__()
        self.network = network
        self.places = places
        widths = [network.blocks[place].conv2.out_channels for place in places]
        self.heads = nn.ModuleList(nn.Linear(width, 10) for width in widths)

    def forward(self, x):
        network, outputs = self.network, []
        x = network.input_quantizer(x)
        x = network.stem(x)
        for index, block in enumerate(network.blocks):
            x = block(x)
            if index in self.places:
                outputs.append(self.heads[self.places.index(index)](x.mean((2, 3))))
        x = x.mean((2, 3))
        x = network.pool_quantizer(x)
        return outputs + [network.linear(x)]


@torch.no_grad()
def answers(model, split):
    model.eval()
    parts = [model(images) for images in split[0].split(256)]
    return [torch.cat(rows) for rows in zip(*parts)]


def leave(outputs, thresholds):
    """Which output every sample takes."""
    taken = torch.full((len(outputs[0]),), len(thresholds))
    for index in reversed(range(len(thresholds))):
        taken[outputs[index].softmax(1).amax(1) >= thresholds[index]] = index
    return taken


def score(outputs, labels, taken):
    logits = torch.stack(outputs)[taken, torch.arange(len(labels))]
    return (logits.argmax(1) == labels).float().mean().item()


def choose_thresholds(outputs, labels, costs, max_drop):
    full = (outputs[-1].argmax(1) == labels).float().mean().item()
    best, best_cost = [2.0] * (len(outputs) - 1), costs[-1]
    grid = [0.5 + 0.02 * i for i in range(25)] + [0.99, 0.995, 0.999, 2.0]
    for first in grid:
        for second in grid:
            taken = leave(outputs, [first, second])
            cost = sum(costs[i] * (taken == i).float().mean().item() for i in range(len(costs)))
            if cost < best_cost and score(outputs, labels, taken) >= full - max_drop:
                best, best_cost = [first, second], cost
    return best


def layer_bits(name, is_quantized):
    if not is_quantized:
        return 32, 32
    if name.startswith(("stem", "linear")):
        return 8, 8
    return 4, 4


def bitops(network, is_quantized):
    total = 0
    for name, macs in macs_by_layer(network).items():
        weight, activation = layer_bits(name, is_quantized)
        total += macs * weight * activation
    return total


def exit_costs(model, is_quantized):
    """BitOps of a sample that leaves at each exit and of one that goes to the end; heads in float."""
    layers = {name.removeprefix("network."): macs for name, macs in macs_by_layer(model).items()}
    costs, spent = [], 0
    order = ["stem"] + [f"blocks.{i}" for i in range(len(model.network.blocks))] + ["linear"]
    for part in order:
        for name, macs in layers.items():
            if name == part or name.startswith(part + "."):
                weight, activation = layer_bits(name, is_quantized)
                spent += macs * weight * activation
        for index, place in enumerate(model.places):
            if part == f"blocks.{place}":
                spent += layers[f"heads.{index}"] * 32 * 32
                costs.append(spent)
    return costs + [spent]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True, help="folder with the four Fashion-MNIST files")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=float, nargs=5, default=[1.25, 2.0, 0.75, 1.75, 0.3],
                        help="baseline, student, pruned, quantized, exits")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(given.seed)
    begin, cpu_begin = time.perf_counter(), time.process_time()
    data = Data(given.data, 0)
    base, student, pruned, qat, exits = given.epochs
    rows, last = [], [time.perf_counter()]

    def note(stage, network, cost, score_on_validation):
        now = time.perf_counter()
        rows.append({"stage": stage, "validation": score_on_validation, "bitops": cost, "seconds": now - last[0]})
        last[0] = now

    def cross_entropy(network):
        return lambda images, labels: F.cross_entropy(network(images), labels)

    def train(network, epochs, rate):
        network.train()
        fit(network, data.train, epochs, rate, cross_entropy(network))

    teacher = ResNet(14, 16, 1).to(memory_format=torch.channels_last)
    train(teacher, base, RATE)
    note("baseline", teacher, bitops(teacher, False), accuracy(teacher, data.validation))

    network = ResNet(8, 16, 1).to(memory_format=torch.channels_last)
    state, known = network.state_dict(), teacher.state_dict()
    network.load_state_dict({name: known[name] if name in known and known[name].shape == value.shape else value
                             for name, value in state.items()})
    teacher.eval()

    def taught(images, labels):
        with torch.no_grad():
            told = teacher(images)
        return standardised_distillation(network(images), told, labels)

    network.train()
    fit(network, data.train, student, RATE, taught)
    note("student", network, bitops(network, False), accuracy(network, data.validation))

    network.train()
    prune(network, 0.5, 10)
    network.to(memory_format=torch.channels_last)
    train(network, pruned, RATE * 0.1)
    note("pruned", network, bitops(network, False), accuracy(network, data.validation))

    model = quantized(network).to(memory_format=torch.channels_last)

    train(model, qat, RATE * 0.1)
    note("quantized", model, bitops(model, True), accuracy(model, data.validation))

    early = WithExits(model, [0, 1])
    for parameter in model.parameters():
        parameter.requires_grad_(False)

    def heads_loss(images, labels):
        early.eval()  # the body's statistics stay
        *outputs, final = early(images)
        target = (final / 2).softmax(1).detach()
        return sum(F.kl_div((output / 2).log_softmax(1), target, reduction="batchmean") * 4 +
                   0.5 * F.cross_entropy(output, labels) for output in outputs)

    fit(early, data.train, exits, RATE, heads_loss, early.heads.parameters())
    costs = exit_costs(early, True)
    outputs = answers(early, data.validation)
    thresholds = choose_thresholds(outputs, data.validation[1], costs, 0.0015)
    taken = leave(outputs, thresholds)
    cost = sum(costs[i] * (taken == i).float().mean().item() for i in range(len(costs)))
    note("exits", early, cost, score(outputs, data.validation[1], taken))

    outputs = answers(early, data.test)
    test = score(outputs, data.test[1], leave(outputs, thresholds))
    print(json.dumps({"seconds": time.perf_counter() - begin, "cpu_seconds": time.process_time() - cpu_begin,
                      "test_baseline": accuracy(teacher, data.test), "test": test, "rows": rows,
                      "bitops_ratio": rows[0]["bitops"] / rows[-1]["bitops"],
                      "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
