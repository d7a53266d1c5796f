# Methods that a technique offers beside its default: each runs, reaches its target and keeps what the network learnt.
import json
import struct

import support
from support import CHANNEL, CONFIDENCE, HEAD, QAT, STUDENT, run_json

LEAST = 0.5  # ten classes: chance is 0.1


class Options(support.Workplace):
    def rows_of(self, name, text):
        config = self.write(f"{name}.toml", text)
        return run_json("run", config, "--brief", "--output", self.path(name),
                        TOPRESS_STAGE_CACHE=self.path("cache"))["rows"]

    def widths(self, file):
        """Output channels of every 3x3 convolution, from the header of a saved network."""
        with open(self.path(file), "rb") as stream:
            (size,) = struct.unpack("<Q", stream.read(8))
            header = json.loads(stream.read(size))
        return {name: entry["shape"][0] for name, entry in header.items() if entry.get("shape", [])[2:] == [3, 3]}

    def test_every_criterion_of_pruning_reaches_the_target(self):
        for criterion in ("l2", "l1", "gamma", "taylor", "random"):
            with self.subTest(criterion=criterion):
                rows = self.rows_of(criterion, HEAD + CHANNEL + f'criterion = "{criterion}"\n')
                self.assertLessEqual(rows[1]["macs"], 0.7 * rows[0]["macs"])
                self.assertGreater(rows[1]["accuracy"], LEAST)

    def test_rank_takes_the_same_share_of_every_group(self):
        half = CHANNEL.replace("macs_ratio = 0.7", "macs_ratio = 0.5")
        rows = self.rows_of("rank", HEAD + half + 'normalisation = "rank"\n')
        self.assertLessEqual(rows[1]["macs"], 0.5 * rows[0]["macs"])
        before, after = (self.widths(f"rank/stages/{stage}.safetensors") for stage in ("00-baseline", "01-channel"))
        shares = [after[name] / before[name] for name in before]
        self.assertGreater(len(shares), 4)
        self.assertLess(max(shares), 1.0)
        self.assertLessEqual(max(shares) - min(shares), 2 / 8)  # multiples of two of at least eight

    def test_sparse_training_comes_before_the_first_step(self):
        rows = self.rows_of("sparse", HEAD + CHANNEL + "sparse_epochs = 0.5\n")
        phases = [record["phase"] for record in rows[1]["curves"]]
        self.assertEqual(phases[0], "sparse")
        self.assertIn("prune", phases)
        self.assertGreater(rows[1]["accuracy"], LEAST)

    def test_pruning_stops_where_accuracy_would_fall(self):
        strict = self.rows_of("strict", HEAD + CHANNEL.replace("0.7", "0.1") + "max_drop_pp = 0.2\n")
        self.assertGreaterEqual(strict[1]["accuracy"], strict[0]["accuracy"] - 0.002)
        # A loss that cannot be exceeded lets the first size through.
        loose = self.rows_of("loose", HEAD + CHANNEL + "max_drop_pp = 99\n")
        plain = self.rows_of("plain-size", HEAD + CHANNEL)
        self.assertEqual(loose[1]["macs"], plain[1]["macs"])

    def test_every_method_of_distillation_teaches(self):
        for method in ("standardised", "plain", "decoupled"):
            with self.subTest(method=method):
                rows = self.rows_of(method, HEAD + STUDENT + f'method = "{method}"\n')
                self.assertGreater(rows[1]["accuracy"], LEAST)

    def test_a_teacher_remembers_the_variants_of_a_picture(self):
        head = HEAD.replace("crop_padding = 0", "crop_padding = 1\nvariants = 2")
        config = self.write("variants.toml", head + STUDENT)
        networks = []
        for name in ("variants", "variants-again"):  # both computed: nothing is shared
            rows = run_json("run", config, "--brief", "--no-cache", "--output", self.path(name))["rows"]
            self.assertGreater(rows[1]["accuracy"], LEAST)
            with open(self.path(f"{name}/network.safetensors"), "rb") as file:
                networks.append(file.read())
        self.assertEqual(networks[0], networks[1])
        # Pictures of no end are others, so the network is another.
        endless = self.write("endless.toml", head.replace("variants = 2", "variants = 0") + STUDENT)
        run_json("run", endless, "--brief", "--no-cache", "--output", self.path("endless"))
        with open(self.path("endless/network.safetensors"), "rb") as file:
            self.assertNotEqual(file.read(), networks[0])

    def test_every_criterion_of_exits_lets_samples_leave(self):
        for criterion in ("max-probability", "margin", "entropy"):
            with self.subTest(criterion=criterion):
                rows = self.rows_of(f"exit-{criterion}", HEAD + CONFIDENCE + f'criterion = "{criterion}"\n')
                exits = rows[1]["exits"]
                self.assertGreater(exits[0]["share"], 0.0)
                self.assertGreater(rows[1]["accuracy"], rows[0]["accuracy"] - 0.031)

    def test_measured_bits_cost_no_more_than_uniform_ones(self):
        # Layers of a VGG cost anything between a little and a lot; in a ResNet all cost the same.
        head = HEAD.replace('"resnet"', '"vgg"').replace("depth = 14", "depth = 11")
        five = QAT.replace("bits = 4", "bits = 5")
        uniform = self.rows_of("uniform", head + five)
        mixed = self.rows_of("mixed", head + five + 'allocation = "measured"\n')
        self.assertLessEqual(mixed[1]["bitops"], uniform[1]["bitops"] * (1 + 1e-6))
        self.assertGreater(mixed[1]["bitops"], 0.7 * uniform[1]["bitops"])
        self.assertGreater(mixed[1]["accuracy"], LEAST)
        layers = [node for node in run_json("cost", self.path("mixed/network.safetensors"))["operators"] if node["macs"]]
        inner = {node["weight_bits"] for node in layers[1:-1]}
        self.assertGreater(len(inner), 1, "all layers got the same bits")
        self.assertTrue(inner <= {3, 4, 5, 6, 7, 8})
        self.assertEqual([layers[0]["weight_bits"], layers[-1]["weight_bits"]], [8, 8])

    def test_recovery_teaches_a_quantized_network(self):
        text = (HEAD + "[technique.qat]\nweight_bits = 3\nactivation_bits = 3\nepochs = 0.2\n"
                "[technique.recovery]\nepochs = 1\n[[order.edge]]\nbefore = \"qat\"\nafter = \"recovery\"\n")
        rows = self.rows_of("recovery", text)
        self.assertEqual([row["stage"] for row in rows], ["baseline", "qat", "recovery"])
        self.assertEqual(rows[2]["bitops"], rows[1]["bitops"])
        self.assertGreater(rows[2]["accuracy"], LEAST)


if __name__ == "__main__":
    support.main()
