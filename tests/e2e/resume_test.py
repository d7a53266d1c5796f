# Kills a run at random moments (kill -9), resumes it, and compares with a run that nobody disturbed: the same network.safetensors,
# the same ledger.json but for what was measured. Prints a line per kill. Usage: resume_test.py [--kills N] [--seed N] [--keep DIR]
import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import support
from support import CHANNEL, CONFIDENCE, HEAD, QAT, STUDENT

# One stage in a process of its own: killing a run must not leave its worker behind either.
CONFIG = (HEAD.replace("epochs = 2", "epochs = 1") + STUDENT.replace("epochs = 2", "epochs = 1") + QAT +
          CHANNEL.replace("steps = 2", 'steps = 1\nisolation = "process"') + CONFIDENCE.replace("epochs = 2", "epochs = 1"))
STAGES = 5
MEASURED_OF_ROW = ("seconds", "latency_ms", "latency_ratio", "peak_memory_bytes", "resumed", "from_cache")
MEASURED_OF_LEDGER = ("stages_computed", "stages_from_cache", "stages_resumed")


def command(config, out, *more):
    return [support.program(), "run", config, "--output", out, "--no-cache", "-q", *more]


def run_to_end(config, out, *more):
    done = subprocess.run(command(config, out, *more), capture_output=True, text=True,
                          env=support.environment(), timeout=120)
    if done.returncode != 0:
        sys.exit(f"a run that should have ended well ended with {done.returncode}\n{done.stdout}\n{done.stderr}")


def comparable(out):
    """Hash of the network, and the ledger without what may differ."""
    with open(f"{out}/network.safetensors", "rb") as file:
        network = hashlib.sha256(file.read()).hexdigest()
    with open(f"{out}/ledger.json", encoding="utf-8") as file:
        ledger = json.load(file)
    for key in MEASURED_OF_LEDGER:
        del ledger[key]
    for row in ledger["rows"]:
        for key in MEASURED_OF_ROW:
            del row[key]
        for point in row["curves"]:
            del point["seconds"]
    return network, json.dumps(ledger)


def where_it_was(out):
    """What the events say about the moment of the kill."""
    try:
        with open(f"{out}/events.jsonl", encoding="utf-8") as file:
            events = [json.loads(line) for line in file]
    except FileNotFoundError:
        return "before its first word"
    last = events[-1]
    label = last.get("label") or last.get("row", {}).get("stage", "")
    return f"{last['event']} {label}".strip()


def broken_files(out):
    """Documents that are there but are not whole."""
    broken = []
    for folder, _, names in os.walk(out):
        for name in names:
            if name.endswith(".json"):
                try:
                    with open(os.path.join(folder, name), encoding="utf-8") as file:
                        json.load(file)
                except ValueError:
                    broken.append(name)
    return broken


def left_behind(out):
    """Processes of a killed run that still go on a second later."""
    deadline = time.monotonic() + 1
    while True:
        found = [pid for pid in os.listdir("/proc") if pid.isdigit() and out in command_line(pid)]
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.02)


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def kill_and_resume(config, out, moment):
    """One kill; what was found, as a dictionary."""
    running = subprocess.Popen(command(config, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env=support.environment())
    time.sleep(moment)
    running.send_signal(signal.SIGKILL)
    was_killed = running.wait() == -signal.SIGKILL
    found = {"at": f"{moment:.2f} s", "during": where_it_was(out) if was_killed else "ended before",
             "broken": broken_files(out) + left_behind(out)}
    run_to_end(config, out, "--resume")
    with open(f"{out}/ledger.json", encoding="utf-8") as file:
        rows = json.load(file)["rows"]
    found["resumed"] = sum(row["resumed"] for row in rows)
    found["network"], found["ledger"] = comparable(out)
    return found


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--kills", type=int, default=8)
    options.add_argument("--seed", type=int, default=1)
    options = options.parse_args()
    folder = tempfile.mkdtemp(prefix="topress-resume-")
    support.write_dataset(f"{folder}/data")
    config = f"{folder}/small.toml"
    with open(config, "w", encoding="utf-8") as file:
        file.write(CONFIG)
    start = time.monotonic()
    run_to_end(config, f"{folder}/undisturbed")
    seconds = time.monotonic() - start
    network, ledger = comparable(f"{folder}/undisturbed")
    print(f"undisturbed: {seconds:.2f} s, network.safetensors {network[:16]}; seed {options.seed}")
    print(f"{'kill':>4}  {'at':>7}  {'during':32}  resumed  network  ledger  whole")
    moments = random.Random(options.seed)
    failures = 0
    for number in range(1, options.kills + 1):
        found = kill_and_resume(config, f"{folder}/killed", moments.uniform(0, seconds))
        same = [found["network"] == network, found["ledger"] == ledger, not found["broken"]]
        words = ["same" if same[0] else "DIFFERS", "same" if same[1] else "DIFFERS", "yes" if same[2] else "NO"]
        print(f"{number:4}  {found['at']:>7}  {found['during'][:32]:32}  {found['resumed']:3} of {STAGES:1}"
              f"  {words[0]:7}  {words[1]:6}  {words[2]}  {' '.join(found['broken'])}".rstrip(), flush=True)
        failures += not all(same)
        shutil.rmtree(f"{folder}/killed")
    print(f"{options.kills} kills, {failures} of them with another result")
    shutil.rmtree(folder)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
