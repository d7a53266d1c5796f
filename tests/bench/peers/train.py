"""Times a training step of PyTorch on random pictures, for compare.py: one JSON line.

The network, batch, threads and memory format are those of train_step.cpp; the data set is normalised
once and lies in memory, a batch is gathered by index.
"""
import argparse
import json
import time

import torch
import torch.nn.functional as F

from resnet import ResNet


def main():
    parser = argparse.ArgumentParser()
    for name, default in (("depth", 8), ("width", 8), ("channels", 1), ("side", 28), ("batch", 128), ("steps", 20),
                          ("threads", 1), ("cuda", 0), ("bfloat16", 0)):
        parser.add_argument("--" + name, type=int, default=default)
    parser.add_argument("--compile", action="store_true")
    work = parser.parse_args()
    torch.set_num_threads(work.threads)
    torch.manual_seed(1)
    # Named in every call: a default device would cost each of them a detour through Python.
    device = "cuda" if work.cuda else "cpu"
    network = ResNet(work.depth, work.width, work.channels).to(device, memory_format=torch.channels_last)
    count = work.batch * work.steps
    images = torch.randn(count, work.channels, work.side, work.side, device=device)
    images = images.contiguous(memory_format=torch.channels_last)
    labels = torch.randint(0, 10, (count,), device=device)
    reduced = torch.autocast(device, torch.bfloat16, enabled=bool(work.bfloat16))
    optimizer = torch.optim.SGD(network.parameters(), 0.01, momentum=0.9, nesterov=True, weight_decay=5e-4, fused=True)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.01, total_steps=2 * work.steps + 10)
    model = torch.compile(network) if work.compile else network

    def step(index):
        optimizer.zero_grad()
        with reduced:
            loss = F.cross_entropy(model(images[index]), labels[index])
        loss.backward()
        optimizer.step()
        scheduler.step()
        return loss

    begin = time.perf_counter()
    for _ in range(work.steps if work.cuda else 3):
        loss = step(torch.arange(work.batch, device=device))
    loss.item()
    warm = time.perf_counter() - begin
    order = torch.randperm(count, device=device)
    begin, cpu_begin = time.perf_counter(), time.process_time()
    for index in order.split(work.batch):
        loss = step(index)
    loss.item()
    seconds, cpu_seconds = time.perf_counter() - begin, time.process_time() - cpu_begin
    print(json.dumps({"ms_per_step": seconds * 1e3 / work.steps, "cpu_ms_per_step": cpu_seconds * 1e3 / work.steps,
                      "warm_s": warm, "loss": loss.item()}))


if __name__ == "__main__":
    main()
