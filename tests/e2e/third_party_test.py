# Six techniques in one run, two of them from plugins that were built outside of topress and name nobody.
import array
import json
import os
import subprocess

import support
from support import CHANNEL, CONFIDENCE, HEAD, QAT, STUDENT, run, run_json

LOWRANK = """
[technique.lowrank]
use = "lowrank.svd"
energy_ratio = 0.8
epochs = 1
"""

CLUSTERING = """
[technique.clustering]
use = "clustering.kmeans"
bits = 3
epochs = 1
"""

ORDER = ["student", "lowrank", "channel", "clustering", "qat", "confidence"]
ALL = HEAD + CONFIDENCE + CLUSTERING + QAT + LOWRANK + CHANNEL + STUDENT


def plugins():
    return os.environ["TOPRESS_THIRD_PARTY_PLUGINS"]


def run_with(*arguments, **extra):
    return run_json(*arguments, "--plugin-path", plugins(), **extra)


class ThirdParty(support.Workplace):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.config = cls.write("six.toml", ALL)
        cls.document = run_with("run", cls.config, "--output", cls.path("out"))
        cls.rows = cls.document["rows"]

    def stage(self, label):
        number = ORDER.index(label) + 1
        return self.path(f"out/stages/{number:02}-{label}.safetensors")

    def test_the_plugins_land_where_kind_and_granularity_put_them(self):
        plan = run_with("plan", self.config)
        self.assertEqual(plan["order"], ORDER)
        ours = {"lowrank", "clustering"}
        touching = [edge for edge in plan["edges"] if ours & {edge["before"], edge["after"]}]
        self.assertTrue(touching)
        for edge in touching:  # nobody names anybody: rules alone place them
            self.assertTrue(edge["origin"].startswith("rule"), edge)

    def test_the_plugins_name_no_other_technique(self):
        found = run_with("plugin", "list")
        listed = json.dumps(found)
        for name in ("org.example.lowrank", "org.example.clustering"):
            self.assertIn(name, listed)
        for name in ("lowrank", "clustering"):
            notes = subprocess.run(["strings", os.path.join(plugins(), name + ".so")],
                                   capture_output=True, text=True, check=True).stdout
            for other in ("distillation", "pruning", "quantization.", "early_exit"):
                self.assertNotIn(other, notes)

    def test_all_six_stages_pass_the_checks_of_the_host(self):
        self.assertEqual([row["stage"] for row in self.rows], ["baseline"] + ORDER)
        self.assertEqual(self.document["state"], "finished")
        codes = [finding["code"] for finding in self.document["diagnostics"]]
        self.assertEqual([code for code in codes if code.startswith("check/")], [])

    def test_low_rank_makes_layers_thinner_and_pruning_works_on_them(self):
        student, lowrank, channel = self.rows[1:4]
        self.assertLess(lowrank["macs"], 0.9 * student["macs"])
        self.assertLess(channel["macs"], 0.8 * lowrank["macs"])
        shapes = self.parameters(self.stage("lowrank"))
        pruned = self.parameters(self.stage("channel"))
        basis = [name for name in shapes if name.endswith(".basis.weight")]
        self.assertTrue(basis)
        self.assertTrue(any(pruned[name] != shapes[name] for name in basis),
                        "pruning left every factorised layer as it was")

    def parameters(self, network):
        with open(network, "rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(size))
        return {name: tuple(entry["shape"]) for name, entry in header.items()
                if name != "__metadata__"}

    def weights(self, network, wanted):
        with open(network, "rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(size))
            data = file.read()
        begin, end = header[wanted]["data_offsets"]
        return array.array("f", data[begin:end])

    def test_clustered_weights_share_a_few_values_in_the_file(self):
        before, after = self.stage("channel"), self.stage("clustering")
        self.assertEqual(self.parameters(before), self.parameters(after))
        shared = [name for name, shape in self.parameters(after).items()
                  if len(shape) == 4 and len(set(self.weights(after, name))) <= 8]
        self.assertGreater(len(shared), 2)
        for name in shared:
            self.assertGreater(len(set(self.weights(before, name))), 8)

    def test_every_network_loads_without_the_plugins(self):
        # What the file holds is counted, no promise of a codebook: 32 bits a weight until qat.
        self.assertEqual(self.rows[4]["stored_bytes"], self.rows[3]["stored_bytes"])
        for label in ("lowrank", "clustering", "confidence"):
            row = self.rows[ORDER.index(label) + 1]
            found = run_json("eval", self.stage(label), "--data-path", self.path("data"),
                             "--threads", 1, "--split", "validation")
            self.assertEqual(found["accuracy"], row["accuracy"], label)
        test = run_json("eval", self.path("out/network.safetensors"), "--data-path",
                        self.path("data"), "--threads", 1)
        self.assertEqual(test["accuracy"], self.rows[-1]["test_accuracy"])
        self.assertIn("quantize", run("inspect", self.path("out/network.safetensors")).stdout)

    def test_the_plugins_pass_every_check_without_a_warning(self):
        for name in ("lowrank", "clustering"):
            found = run_json("plugin", "check", os.path.join(plugins(), name + ".so"))
            bad = [check for check in found["checks"] if check["status"] not in ("pass", "skip")]
            self.assertEqual(bad, [], name)
            self.assertGreaterEqual(found["summary"]["pass"], 65)
            self.assertLessEqual(found["summary"]["skip"], 1)

    def test_spatial_factors_and_a_macs_bound(self):
        config = self.write("spatial.toml", HEAD + LOWRANK + 'scheme = "spatial"\nmacs_ratio = 0.5\n')
        rows = run_with("run", config, "--output", self.path("spatial"))["rows"]
        self.assertLess(rows[1]["macs"], 0.75 * rows[0]["macs"])


if __name__ == "__main__":
    support.main()
