"""Times one pruning step of torch-pruning, analysis and removal without training, for compare_prune.py: one JSON line."""
import argparse
import json
import time

import torch
import torch_pruning

from resnet import ResNet


def prune(given):
    torch.manual_seed(1)
    network = ResNet(given.depth, given.width, given.channels).eval()
    example = torch.randn(1, given.channels, given.side, given.side)
    before, _ = torch_pruning.utils.count_ops_and_params(network, example)
    begin = time.process_time()
    pruner = torch_pruning.pruner.BasePruner(
        network, example, importance=torch_pruning.importance.GroupMagnitudeImportance(p=2, normalizer="max"), global_pruning=True,
        pruning_ratio=given.ratio, round_to=8, ignored_layers=[network.linear])
    pruner.step()
    seconds = time.process_time() - begin
    after, _ = torch_pruning.utils.count_ops_and_params(network, example)
    return seconds, after / before


parser = argparse.ArgumentParser()
for name, default in (("depth", 14), ("width", 16), ("channels", 1), ("side", 28)):
    parser.add_argument("--" + name, type=int, default=default)
parser.add_argument("--ratio", type=float, default=0.3, help="share of the channels to remove: its target, not MACs")
arguments = parser.parse_args()
torch.set_num_threads(1)
prune(arguments)  # warm
spent, kept = prune(arguments)
print(json.dumps({"cpu_ms": spent * 1e3, "macs_ratio": kept}))
