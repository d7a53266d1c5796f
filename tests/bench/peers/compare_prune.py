"""One pruning step of topress and of torch-pruning, without training, run in turn: medians and the ratio.

  python3 tests/bench/peers/compare_prune.py --prune-step build/release/bin/prune_step --python PYTHON

PYTHON needs torch and torch-pruning. Both find the coupled channels, measure group L2 importance and remove the least
important: topress down to half of the MACs, which it looks for by bisection; torch-pruning three tenths of the channels.
"""
import argparse
import json
import pathlib
import statistics
import subprocess

CASES = {
    "ResNet-14 w16, 1x28x28": {"depth": 14, "width": 16},
    "ResNet-56 w16, 3x32x32": {"depth": 56, "width": 16, "channels": 3, "side": 32},
    "ResNet-18 w64, 3x32x32": {"depth": 18, "width": 64, "channels": 3, "side": 32},
}


def run(command, case):
    arguments = [part for name, value in case.items() for part in ("--" + name, str(value))]
    done = subprocess.run(command + arguments, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--prune-step", required=True)
    parser.add_argument("--python", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    script = str(pathlib.Path(__file__).with_name("prune.py"))
    sides = {"topress": [given.prune_step], "torch-pruning": [given.python, script]}
    print("| work | topress, CPU ms | torch-pruning, CPU ms | ratio | MACs left, topress | torch-pruning |")
    print("|---|---|---|---|---|---|")
    for name, case in CASES.items():
        found = {side: [] for side in sides}
        for _ in range(given.rounds):
            for side, command in sides.items():
                found[side].append(run(command, case))
        spent = {side: statistics.median(each["cpu_ms"] for each in runs) for side, runs in found.items()}
        left = {side: runs[0]["macs_ratio"] for side, runs in found.items()}
        print(f"| {name} | {spent['topress']:.1f} | {spent['torch-pruning']:.1f} | "
              f"{spent['torch-pruning'] / spent['topress']:.1f} | {left['topress']:.2f} | "
              f"{left['torch-pruning']:.2f} |", flush=True)


if __name__ == "__main__":
    main()
