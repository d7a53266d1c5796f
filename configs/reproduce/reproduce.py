"""Runs a configuration of this folder once per seed and prints its table: what ./dev reproduce NAME calls.

Finished stages are taken up where an earlier call stopped. Mean and standard deviation over the seeds; the ratio of bit
operations under three conventions, because the field uses all three: the first and the last layer counted with the bits
of the others (uniform), with 8 bits, and as float.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tomllib

HERE = pathlib.Path(__file__).parent


def configurations():
    return sorted(path.stem for path in HERE.glob("*.toml"))


def read_minutes(path):
    """What the configuration says of itself in a line '# minutes: N (hardware)'."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# minutes:"):
            return float(line.split()[2])
    return None


def scaled_epochs(config, factor):
    """--set for every number of epochs in the configuration."""
    settings = [("baseline.epochs", config["baseline"]["epochs"])]
    settings += [(f"technique.{name}.epochs", table["epochs"])
                 for name, table in config["technique"].items() if "epochs" in table]
    return [part for key, epochs in settings for part in ("--set", f"{key}={round(epochs * factor, 3)}")]


def run_seed(given, path, seed, settings):
    # Another budget is another run: it must not go on where the full one stopped.
    name = path.stem + (f"-{given.budget:g}-minutes" if given.budget else "")
    output = pathlib.Path(given.output) / name / f"seed-{seed}"
    command = [given.topress, "run", str(path), "--output", str(output), "--threads", str(given.threads), "--set",
               f"seed={seed}", *settings]
    if (output / "ledger.json").exists():
        command.append("--resume")
    done = subprocess.run(command, check=False)
    if done.returncode != 0:
        sys.exit(done.returncode)
    return output


def bitops(topress, network, ends):
    """Expected BitOps of a saved network with the first and last layer at `ends` bits; 0: as most layers between."""
    text = subprocess.run([topress, "cost", str(network), "--json"], capture_output=True, text=True, check=True).stdout
    nodes = [node for node in json.loads(text)["operators"] if node["macs"] > 0]
    body = [node for node in nodes if not node["name"].startswith("exit")]
    first, last = body[0], body[-1]
    inner = statistics.mode(node["weight_bits"] * node["activation_bits"] for node in body[1:-1])
    total = 0.0
    for node in nodes:
        bits = node["weight_bits"] * node["activation_bits"]
        if node in (first, last):
            bits = ends * ends if ends > 0 else inner
        total += node["macs"] * bits * node["reach"]
    return total


def scores(first, last):
    """Of the test split: accuracy, or where labels are numbers R2 and the root mean square error in their own unit."""
    if "test_r2" in first:
        return {"baseline, 100 R2": 100 * first["test_r2"], "compressed, 100 R2": 100 * last["test_r2"],
                "difference, 100 R2": 100 * (last["test_r2"] - first["test_r2"]),
                "baseline, error": first["test_error"], "compressed, error": last["test_error"]}
    return {"baseline %": 100 * first["test_accuracy"], "compressed %": 100 * last["test_accuracy"],
            "difference pp": 100 * (last["test_accuracy"] - first["test_accuracy"])}


def figures(given, output):
    ledger = json.loads((output / "ledger.json").read_text(encoding="utf-8"))
    first, last = ledger["rows"][0], ledger["rows"][-1]
    network = output / "network.safetensors"
    return {**scores(first, last),
            "BitOpsCR as it is": last["bitops_cr"],
            "BitOpsCR uniform": first["bitops"] / bitops(given.topress, network, 0),
            "BitOpsCR 8-bit ends": first["bitops"] / bitops(given.topress, network, 8),
            "BitOpsCR float ends": first["bitops"] / bitops(given.topress, network, 32),
            "CR": last["cr"], "latency ratio": 1 / last["latency_ratio"],
            "minutes": sum(row["seconds"] for row in ledger["rows"]) / 60}


def print_table(runs):
    print("| | mean | standard deviation | seeds |")
    print("|---|---|---|---|")
    for name in runs[0]:
        values = [run[name] for run in runs]
        spread = f"{statistics.stdev(values):.2f}" if len(values) > 1 else "-"
        print(f"| {name} | {statistics.mean(values):.2f} | {spread} | {len(values)} |")


def main():
    parser = argparse.ArgumentParser(prog="./dev reproduce")
    parser.add_argument("name", choices=configurations())
    parser.add_argument("--topress", required=True)
    parser.add_argument("--seeds", type=int, default=1, help="how many, from 1 on")
    parser.add_argument("--data", metavar="FOLDER", help="where the data set is, unless in one of the usual places")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--budget", type=float, metavar="MINUTES", help="scale all epochs to about that long a seed")
    parser.add_argument("--output", default="runs/reproduce")
    given = parser.parse_args()
    path = HERE / f"{given.name}.toml"
    settings = ["--set", f"data.path={pathlib.Path(given.data).absolute()}"] if given.data else []
    if given.budget:
        minutes = read_minutes(path)
        if minutes is None:
            sys.exit(f"{path.name} does not say how long it takes: no line '# minutes: N (hardware)'")
        factor = min(1.0, given.budget / minutes)
        settings += scaled_epochs(tomllib.loads(path.read_text(encoding="utf-8")), factor)
        print(f"epochs scaled by {factor:.3f}: the result is not that of the full configuration", flush=True)
    print_table([figures(given, run_seed(given, path, seed, settings)) for seed in range(1, given.seeds + 1)])


if __name__ == "__main__":
    main()
