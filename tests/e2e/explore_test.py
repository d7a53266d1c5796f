# Orders compared by experiment, through the program: counts, cold and warm, interrupted, failed, on a "cluster".
import glob
import json
import os
import subprocess

import support

SMALL = """
[explore]
finish = "finish"
seeds = 2
[technique.finish]
use = "distillation.recovery"
epochs = 0.25
"""

HEAD = support.HEAD.replace("epochs = 2", "epochs = 0.5")
STUDENT = support.STUDENT.replace("epochs = 2", "epochs = 0.5")
CHANNEL = support.CHANNEL.replace("epochs = 1", "epochs = 0.25")
QAT = support.QAT.replace("epochs = 1", "epochs = 0.25")
CONFIDENCE = support.CONFIDENCE.replace("epochs = 2", "epochs = 0.5")


def computed(folder):
    """Rows that any run below the folder computed, baselines apart."""
    rows = []
    for file in glob.glob(f"{folder}/branches/*/*/ledger.json"):
        with open(file, encoding="utf-8") as ledger:
            rows += [row for row in json.load(ledger)["rows"][1:] if not row["from_cache"] and not row["resumed"]]
    return len(rows)


class Explore(support.Workplace):
    def explore(self, config, *arguments, status=0):
        return support.run_json("explore", config, *arguments, status=status,
                                TOPRESS_STAGE_CACHE=self.path("cache-" + self.id().rsplit(".", 1)[-1]))

    def test_pairs_cold_and_warm(self):
        config = self.write("pairs.toml", HEAD + STUDENT + CHANNEL + SMALL)
        cold = self.explore(config, "--pairs", "--jobs", 2, "--output", self.path("cold"))
        self.assertEqual(cold["state"], "finished")
        self.assertEqual(cold["counts"], {"stage_runs": 4, "finish_runs": 2, "rounds": 2, "planned": 12, "computed": 12,
                                          "from_cache": 0, "failed": 0})
        self.assertEqual(computed(self.path("cold")), 12)
        self.assert_files("cold", "explore.json", "evidence.toml", "config.toml")
        self.assertEqual(len(cold["pairs"]), 1)
        self.assertEqual(len(cold["pairs"][0]["differences"]), 2)

        again = self.explore(config, "--pairs", "--jobs", 2, "--output", self.path("cold"))
        warm = self.explore(config, "--pairs", "--jobs", 2, "--output", self.path("warm"))
        for found in (again, warm):
            self.assertEqual(found["counts"]["computed"], 0)
            self.assertEqual(found["pairs"], cold["pairs"])
        self.assertEqual(computed(self.path("warm")), 0)

        plan = support.run_json("plan", config, "--evidence", self.path("cold/evidence.toml"))
        self.assertEqual(plan["measured"][0]["seeds"], 2)

    def test_all_orders_of_the_bundled_techniques_execute(self):
        config = self.write("all.toml", HEAD.replace("crop_padding", "train_samples = 400\ncrop_padding")
                            + STUDENT + CHANNEL + QAT + CONFIDENCE)
        found = self.explore(config, "--permutations", "--seeds", 1, "--jobs", 2, "--output", self.path("all"))
        counts = found["counts"]
        self.assertEqual((counts["stage_runs"], counts["planned"], counts["failed"]), (64, 64, 0))
        # No stage twice; fewer where exits that are not worth their cost leave the network as it was.
        self.assertLessEqual(counts["computed"], 64)
        self.assertGreaterEqual(counts["computed"], 48)
        self.assertEqual([order["executes"] for order in found["orders"]], [True] * 24)
        for branch in found["branches"]:
            with open(self.path("all/branches/s7/" + "-".join(branch["order"]) + "/ledger.json"), encoding="utf-8") as file:
                ledger = json.load(file)
            after_exits = branch["order"][branch["order"].index("confidence") + 1:]
            for row in ledger["rows"]:
                has_exits = len(row["exits"]) > 0
                expected = ["confidence"] if row["stage"] in after_exits and has_exits else []
                self.assertEqual(row["recalibrated"], expected, branch["order"])
            network = support.run_json("inspect", self.path("all/branches/s7/" + "-".join(branch["order"]) + "/network.safetensors"))
            self.assertIn("quantize", {node["op"] for node in network["nodes"]}, branch["order"])
            self.assertGreater(branch["bitops_cr"], 64, branch["order"])

    def test_what_cannot_execute_is_recorded(self):
        config = self.write("fails.toml", HEAD + CHANNEL + STUDENT.replace("depth = 8", "depth = 14") + SMALL)
        found = self.explore(config, "--pairs", "--seeds", 1, "--output", self.path("fails"))
        self.assertEqual(found["status"], "ok")
        self.assertEqual(found["counts"]["failed"], 2)
        self.assertFalse(found["pairs"][0]["executes"])
        self.assertIn("not smaller", found["pairs"][0]["error"])
        self.assertIn("explore/cannot-execute", [each["code"] for each in found["diagnostics"]])

    def test_dry_run_and_mistakes(self):
        config = self.write("dry.toml", HEAD + STUDENT + CHANNEL + QAT + CONFIDENCE + SMALL)
        counts = self.explore(config, "--pairs", "--dry-run")["counts"]
        self.assertEqual((counts["stage_runs"], counts["finish_runs"]), (16, 12))
        self.assertFalse(os.path.exists(self.path("runs")))
        self.explore(config, status=2)
        self.explore(config, "--pairs", "--branch", "s7/nobody", "--output", self.path("x"), status=3)
        lonely = self.write("lonely.toml", HEAD + STUDENT + SMALL)
        self.assertEqual(self.explore(lonely, "--pairs", status=3)["diagnostics"][0]["code"], "explore/too-few")
        wrong = self.write("wrong.toml", HEAD + STUDENT + CHANNEL + SMALL.replace('"finish"', '"finnish"'))
        self.assertEqual(self.explore(wrong, "--pairs", status=3)["diagnostics"][0]["code"], "explore/unknown-finish")

    def test_interrupted_goes_on(self):
        config = self.write("stop.toml", HEAD + STUDENT + CHANNEL + SMALL)
        output, cache = self.path("stop"), self.path("cache-stop")
        status, _, _ = support.interrupt_when(
            ["explore", config, "--pairs", "--output", output],
            lambda: glob.glob(f"{output}/branches/*/*/branch.key") != [])
        self.assertEqual(status, 130)
        done = len(glob.glob(f"{output}/branches/*/*/branch.key"))
        self.assertLess(done, 4)
        found = support.run_json("explore", config, "--pairs", "--output", output, TOPRESS_STAGE_CACHE=cache)
        self.assertEqual(found["state"], "finished")
        self.assertEqual(len(found["pairs"][0]["differences"]), 2)
        self.assertLess(found["counts"]["computed"], 12)

    def test_slurm_scripts_run_with_the_local_shell(self):
        config = self.write("slurm.toml", HEAD + STUDENT + CHANNEL + SMALL)
        output, scripts, cache = self.path("slurm out"), self.path("slurm scripts"), self.path("cache-slurm")
        support.run("explore", config, "--pairs", "--seeds", 1, "--output", output, "--emit-slurm", scripts)
        self.assertFalse(os.path.exists(output))
        fake = self.path("bin")
        os.makedirs(fake, exist_ok=True)
        with open(f"{fake}/sbatch", "w", encoding="utf-8") as file:
            file.write(FAKE_SBATCH)
        os.chmod(f"{fake}/sbatch", 0o755)
        environment = support.environment(TOPRESS_STAGE_CACHE=cache, SBATCH_LOG=self.path("sbatch.log"))
        environment["PATH"] = f"{fake}:{environment['PATH']}"
        subprocess.run([f"{scripts}/submit.sh"], check=True, env=environment, timeout=200)
        with open(self.path("sbatch.log"), encoding="utf-8") as file:
            calls = file.read().splitlines()
        self.assertEqual(len(calls), 3)
        self.assertNotIn("--dependency", calls[0])
        self.assertIn("--dependency=afterany:1", calls[1])
        self.assertIn("--dependency=afterany:2", calls[2])
        found = self.read_json("slurm out/explore.json")
        self.assertEqual((found["state"], found["counts"]["computed"]), ("finished", 0))
        self.assertEqual(computed(output), 6)


# Runs what it is given at once, every task of an array after the other.
FAKE_SBATCH = """#!/bin/bash
set -eu
echo "$@" >> "$SBATCH_LOG"
job=$(wc -l < "$SBATCH_LOG")
tasks=0
while [[ ${1:-} == --* ]]; do
    case $1 in --array=*) tasks=${1#--array=0-} ;; esac
    shift
done
for task in $(seq 0 "$tasks"); do
    SLURM_ARRAY_TASK_ID=$task bash "$@" >&2
done
echo "$job"
"""


if __name__ == "__main__":
    support.main()
