"""The chain of chain.toml, run by topress and glued from PyTorch packages, in turn: times and both ledgers.

  python3 tests/bench/peers/compare_chain.py --topress build/release/bin/topress --python PYTHON --data FOLDER

PYTHON needs torch, torch-pruning and brevitas. Processor time of the whole process, so that other users of the machine
count less.
"""
import argparse
import json
import pathlib
import resource
import statistics
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).parent


def run(command):
    """The last line of its output, seconds by the clock, seconds of processor."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


EPOCHS = {"baseline": 1.25, "technique.student": 2.0, "technique.channel": 0.75, "technique.qat": 1.75,
          "technique.confidence": 0.3}  # those of chain.toml


def scaled_epochs(given):
    return [round(epochs * given.scale, 3) for epochs in EPOCHS.values()]


def run_topress(given):
    epochs = [part for name, value in zip(EPOCHS, scaled_epochs(given))
              for part in ("--set", f"{name}.epochs={value}")]
    with tempfile.TemporaryDirectory() as folder:
        text, seconds, cpu = run([given.topress, "run", str(HERE / "chain.toml"), "--json", "--no-cache", "--threads",
                                  str(given.threads), "--set", f"data.path={given.data}", "--output", folder, *epochs])
    rows = json.loads(text)["rows"]
    return {"seconds": seconds, "cpu": cpu, "test_baseline": rows[0]["test_accuracy"],
            "test": rows[-1]["test_accuracy"], "ratio": rows[-1]["bitops_cr"],
            "peak_mb": max(row["peak_memory_bytes"] for row in rows) / 2 ** 20,
            "rows": [{"stage": row["stage"], "validation": row["accuracy"], "bitops": row["bitops"],
                      "seconds": row["seconds"]} for row in rows]}


def run_glued(given):
    text, seconds, cpu = run([given.python, str(HERE / "glued_chain.py"), "--data", given.data, "--threads",
                              str(given.threads), "--epochs", *map(str, scaled_epochs(given))])
    result = json.loads(text.splitlines()[-1])
    return {**result, "seconds": seconds, "cpu": cpu, "ratio": result["bitops_ratio"]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--topress", required=True)
    parser.add_argument("--python", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1.0, help="of all epochs, on both sides")
    given = parser.parse_args()
    results = {"topress": [], "glued": []}
    for _ in range(given.rounds):
        results["topress"].append(run_topress(given))
        results["glued"].append(run_glued(given))
    print("| | by the clock, s | processor, s | BitOpsCR | test, baseline | test, compressed | peak memory, MiB |")
    print("|---|---|---|---|---|---|---|")
    for side, runs in results.items():
        middle = {key: statistics.median(one[key] for one in runs)
                  for key in ("seconds", "cpu", "ratio", "test_baseline", "test", "peak_mb")}
        print(f"| {side} | {middle['seconds']:.0f} | {middle['cpu']:.0f} | {middle['ratio']:.0f}x "
              f"| {100 * middle['test_baseline']:.2f} % | {100 * middle['test']:.2f} % | {middle['peak_mb']:.0f} |")
    print()
    for side, runs in results.items():
        for row in runs[0]["rows"]:
            print(f"{side:8} {row['stage']:12} validation {100 * row['validation']:6.2f} %  "
                  f"{row['bitops'] / 1e9:8.3f} G BitOps  {row['seconds']:6.1f} s")


if __name__ == "__main__":
    main()
