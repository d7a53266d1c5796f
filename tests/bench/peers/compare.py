"""Training steps of topress and of PyTorch, run in turn: medians and ratios.

  python3 tests/bench/peers/compare.py --train-step build/release/bin/train_step --python PYTHON [--compile]

PYTHON needs torch (the version that topress is built with). Times depend on the machine; the ratio is what counts.
"""
import argparse
import json
import pathlib
import statistics
import subprocess

# Of the process: on a machine that others use too, the time by the clock says more about them. A device has its own.
MEASURES = {False: "cpu_ms_per_step", True: "ms_per_step"}

CASES = {
    "ResNet-8 w8, 1x28x28, batch 128": {"depth": 8, "width": 8},
    "ResNet-14 w16, 1x28x28, batch 128": {"depth": 14, "width": 16},
    "ResNet-18 w64, 3x32x32, batch 128": {"depth": 18, "width": 64, "channels": 3, "side": 32, "steps": 4},
}
# On a device, --cuda: long enough that it is busy all the time.
DEVICE_CASES = {
    "ResNet-8 w8, 1x28x28, batch 128": {"depth": 8, "width": 8, "steps": 400},
    "ResNet-18 w64, 3x32x32, batch 128": {"depth": 18, "width": 64, "channels": 3, "side": 32, "steps": 200},
    "ResNet-34 w64, 3x32x32, batch 128": {"depth": 34, "width": 64, "channels": 3, "side": 32, "steps": 200},
}


def run(command, case, measure):
    arguments = [part for name, value in case.items() for part in ("--" + name, str(value))]
    done = subprocess.run(command + arguments, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])[measure]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--train-step", required=True)
    parser.add_argument("--python", required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="cases whose name has this text")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--cuda", action="store_true", help="on the first CUDA device, by the clock")
    parser.add_argument("--bfloat16", action="store_true", help="forward and backward in bfloat16")
    given = parser.parse_args()
    script = str(pathlib.Path(__file__).with_name("train.py"))
    sides = {"topress": [given.train_step], "eager": [given.python, script]}
    if given.compile:
        sides["compiled"] = [given.python, script, "--compile"]
    unit = ", ms" if given.cuda else ", CPU ms"
    common = {"threads": given.threads, "cuda": int(given.cuda), "bfloat16": int(given.bfloat16)}
    print("| work | " + " | ".join(side + unit for side in sides) + " | " +
          " | ".join(side + " / topress" for side in list(sides)[1:]) + " |")
    print("|---|" + "---|" * (2 * len(sides) - 1))
    for name, case in (DEVICE_CASES if given.cuda else CASES).items():
        if given.only not in name:
            continue
        times = {side: [] for side in sides}
        for _ in range(given.rounds):
            for side, command in sides.items():
                times[side].append(run(command, {**case, **common}, MEASURES[given.cuda]))
        median = {side: statistics.median(values) for side, values in times.items()}
        cells = [f"{value:.2f}" for value in median.values()]
        cells += [f"{median[side] / median['topress']:.2f}" for side in list(sides)[1:]]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
