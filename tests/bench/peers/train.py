"""Times a training step of PyTorch on random pictures, for compare.py: one JSON line.

The network, batch, threads and memory format are those of train_step.cpp; the data set is normalised
once and lies in memory, a batch is gathered by index.
"""
import argparse
import json
import time

import torch
import torch.nn.functional as F
from torch import nn


def block_counts(depth):
    if depth == 18:
        return [2, 2, 2, 2]
    if depth == 34:
        return [3, 4, 6, 3]
    return [(depth - 2) // 6] * 3


class Block(nn.Module):
    def __init__(self, channels, out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.shortcut = None
        if stride != 1 or channels != out:
            self.shortcut = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn2(self.conv2(y))
        return F.relu(y + (x if self.shortcut is None else self.shortcut(x)), inplace=True)


class ResNet(nn.Module):
    def __init__(self, depth, width, channels):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(channels, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width),
                                  nn.ReLU(inplace=True))
        blocks, now = [], width
        for stage, count in enumerate(block_counts(depth)):
            for index in range(count):
                out = width << stage
                blocks.append(Block(now, out, 2 if stage > 0 and index == 0 else 1))
                now = out
        self.blocks = nn.Sequential(*blocks)
        self.linear = nn.Linear(now, 10)

    def forward(self, x):
        return self.linear(self.blocks(self.stem(x)).mean((2, 3)))


def main():
    parser = argparse.ArgumentParser()
    for name, default in (("depth", 8), ("width", 8), ("channels", 1), ("side", 28), ("batch", 128), ("steps", 20),
                          ("threads", 1)):
        parser.add_argument("--" + name, type=int, default=default)
    parser.add_argument("--compile", action="store_true")
    work = parser.parse_args()
    torch.set_num_threads(work.threads)
    torch.manual_seed(1)
    network = ResNet(work.depth, work.width, work.channels).to(memory_format=torch.channels_last)
    count = work.batch * work.steps
    images = torch.randn(count, work.channels, work.side, work.side).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(0, 10, (count,))
    optimizer = torch.optim.SGD(network.parameters(), 0.01, momentum=0.9, nesterov=True, weight_decay=5e-4, fused=True)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.01, total_steps=work.steps + 10)
    model = torch.compile(network) if work.compile else network

    def step(index):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images[index]), labels[index])
        loss.backward()
        optimizer.step()
        scheduler.step()
        return loss

    begin = time.perf_counter()
    for _ in range(3):
        step(torch.arange(work.batch))
    warm = time.perf_counter() - begin
    order = torch.randperm(count)
    begin, cpu_begin = time.perf_counter(), time.process_time()
    for index in order.split(work.batch):
        loss = step(index)
    seconds, cpu_seconds = time.perf_counter() - begin, time.process_time() - cpu_begin
    print(json.dumps({"ms_per_step": seconds * 1e3 / work.steps, "cpu_ms_per_step": cpu_seconds * 1e3 / work.steps,
                      "warm_s": warm, "loss": loss.item()}))


if __name__ == "__main__":
    main()
