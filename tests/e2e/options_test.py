# Methods that pruning and distillation offer beside their defaults: each runs, reaches its target and keeps what the
# network learnt.
import json
import os
import shutil
import struct

import support
from support import CHANNEL, HEAD, LEAST, QAT, STUDENT, rows_of, run_json


class Options(support.Workplace):
    def widths(self, file):
        """Output channels of every 3x3 convolution, from the header of a saved network."""
        with open(self.path(file), "rb") as stream:
            (size,) = struct.unpack("<Q", stream.read(8))
            header = json.loads(stream.read(size))
        return {name: entry["shape"][0] for name, entry in header.items() if entry.get("shape", [])[2:] == [3, 3]}

    def test_every_criterion_of_pruning_reaches_the_target(self):
        for criterion in ("l2", "l1", "gamma", "taylor", "random"):
            with self.subTest(criterion=criterion):
                rows = rows_of(self, criterion, HEAD + CHANNEL + f'criterion = "{criterion}"\n')
                self.assertLessEqual(rows[1]["macs"], 0.7 * rows[0]["macs"])
                self.assertGreater(rows[1]["accuracy"], LEAST)

    def test_training_in_bfloat16_learns(self):
        rows = rows_of(self, "bfloat16", HEAD.replace("[train]", '[train]\nprecision = "bfloat16"') + STUDENT + QAT)
        self.assertGreater(min(row["accuracy"] for row in rows), LEAST)
        exact = rows_of(self, "float32", HEAD)
        self.assertNotEqual(rows[0]["curves"], exact[0]["curves"], "the key does something")

    def test_channels_are_a_target_too(self):
        text = CHANNEL.replace("macs_ratio = 0.7", "channels_ratio = 0.6")
        rows = rows_of(self, "channels", HEAD + text)
        self.assertGreater(rows[1]["accuracy"], LEAST)
        before, after = (sum(self.widths(f"channels/stages/{stage}.safetensors").values())
                         for stage in ("00-baseline", "01-channel"))
        self.assertLess(after, 0.75 * before)  # not all of them can be removed
        both = rows_of(self, "both", HEAD + text + "macs_ratio = 0.5\n")
        self.assertLessEqual(both[1]["macs"], 0.5 * both[0]["macs"])

    def test_rank_takes_the_same_share_of_every_group(self):
        half = CHANNEL.replace("macs_ratio = 0.7", "macs_ratio = 0.5")
        rows = rows_of(self, "rank", HEAD + half + 'normalisation = "rank"\n')
        self.assertLessEqual(rows[1]["macs"], 0.5 * rows[0]["macs"])
        before, after = (self.widths(f"rank/stages/{stage}.safetensors") for stage in ("00-baseline", "01-channel"))
        shares = [after[name] / before[name] for name in before]
        self.assertGreater(len(shares), 4)
        self.assertLess(max(shares), 1.0)
        self.assertLessEqual(max(shares) - min(shares), 2 / 8)  # multiples of two of at least eight

    def test_sparse_training_comes_before_the_first_step(self):
        rows = rows_of(self, "sparse", HEAD + CHANNEL + "sparse_epochs = 0.5\n")
        phases = [record["phase"] for record in rows[1]["curves"]]
        self.assertEqual(phases[0], "sparse")
        self.assertIn("prune", phases)
        self.assertGreater(rows[1]["accuracy"], LEAST)

    def test_pruning_stops_where_accuracy_would_fall(self):
        strict = rows_of(self, "strict", HEAD + CHANNEL.replace("0.7", "0.1") + "max_drop_pp = 0.2\n")
        self.assertGreaterEqual(strict[1]["accuracy"], strict[0]["accuracy"] - 0.002)
        # Where training spoils the network nothing holds: the run goes on with the network as it was.
        spoilt = HEAD.replace("one-cycle", "constant") + CHANNEL + "learning_rate = 10.0\n"
        nothing = rows_of(self, "nothing-holds", spoilt + "max_drop_pp = 0.001\n")
        self.assertEqual(nothing[1]["macs"], nothing[0]["macs"])
        # A loss that cannot be exceeded lets the first size through.
        loose = rows_of(self, "loose", HEAD + CHANNEL + "max_drop_pp = 99\n")
        plain = rows_of(self, "plain-size", HEAD + CHANNEL)
        self.assertEqual(loose[1]["macs"], plain[1]["macs"])

    def test_every_method_of_distillation_teaches(self):
        for method in ("standardised", "plain", "decoupled"):
            with self.subTest(method=method):
                rows = rows_of(self, method, HEAD + STUDENT + f'method = "{method}"\n')
                self.assertGreater(rows[1]["accuracy"], LEAST)

    def test_hints_leave_nothing_behind(self):
        for name, text in (("hinted", STUDENT), ("hinted-recovery", "[technique.recovery]\nepochs = 1\n")):
            with self.subTest(technique=name):
                plain = rows_of(self, name + "-without", HEAD + text)
                rows = rows_of(self, name, HEAD + text + "hint_weight = 2\n")
                self.assertGreater(rows[1]["accuracy"], LEAST)
                self.assertEqual(rows[1]["parameters"], plain[1]["parameters"])
                self.assertNotEqual(rows[1]["curves"][-1]["loss"], plain[1]["curves"][-1]["loss"])
                with open(self.path(f"{name}/network.safetensors"), "rb") as file:
                    self.assertNotIn(b"hint", file.read())

    def test_the_original_teaches_while_others_train(self):
        attached = HEAD.replace("[train]\n", "[train]\noriginal_weight = 2\n")
        for name, text in (("channel", CHANNEL), ("qat", QAT)):
            with self.subTest(technique=name):
                plain = rows_of(self, name + "-alone", HEAD + text)
                rows = rows_of(self, name + "-followed", HEAD + text + "original_weight = 2\n")
                self.assertGreater(rows[1]["accuracy"], LEAST)
                self.assertGreater(rows[1]["curves"][-1]["loss"], plain[1]["curves"][-1]["loss"])
                # The run can ask for it instead of the technique: the same loss, to rounding.
                asked = rows_of(self, name + "-attached", attached + text)
                self.assertGreater(asked[1]["curves"][-1]["loss"], plain[1]["curves"][-1]["loss"])
                for mine, theirs in zip(asked[1]["curves"], rows[1]["curves"], strict=True):
                    self.assertAlmostEqual(mine["loss"], theirs["loss"], delta=0.05 * theirs["loss"])

    def test_a_student_comes_from_a_file(self):
        smaller = HEAD.replace("depth = 14", "depth = 8") + QAT
        rows_of(self, "smaller", smaller)
        os.makedirs(self.path("networks"), exist_ok=True)
        os.replace(self.path("smaller/network.safetensors"), self.path("networks/small.safetensors"))
        text = HEAD + '[technique.student]\nnetwork = "networks/small.safetensors"\nepochs = 1\n'
        rows = rows_of(self, "from-file", text)
        self.assertLess(rows[1]["bitops"], rows[0]["bitops"] / 20)  # the bits of the file
        self.assertGreater(rows[1]["accuracy"], LEAST)
        # Another network in the same file is another stage; the output's configuration runs from anywhere.
        shutil.copy(self.path("from-file/network.safetensors"), self.path("networks/small.safetensors"))
        again = rows_of(self, "from-file-again", text)
        self.assertNotEqual(again[1]["curves"], rows[1]["curves"])
        with open(self.path("from-file/config.toml"), encoding="utf-8") as file:
            self.assertIn(f'network = "{self.path("networks/small.safetensors")}"', file.read())

    def test_a_student_that_is_not_there_is_found_before_the_run(self):
        config = self.write("missing.toml", HEAD + '[technique.student]\nnetwork = "nowhere.safetensors"\n')
        found = run_json("plan", config, status=3)["diagnostics"][0]
        self.assertEqual((found["code"], found["line"]), ("config/cannot-read", HEAD.count("\n") + 2))

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

    def test_recovery_teaches_a_quantized_network(self):
        text = (HEAD + "[technique.qat]\nweight_bits = 3\nactivation_bits = 3\nepochs = 0.2\n"
                "[technique.recovery]\nepochs = 1\n[[order.edge]]\nbefore = \"qat\"\nafter = \"recovery\"\n")
        rows = rows_of(self, "recovery", text)
        self.assertEqual([row["stage"] for row in rows], ["baseline", "qat", "recovery"])
        self.assertEqual(rows[2]["bitops"], rows[1]["bitops"])
        self.assertGreater(rows[2]["accuracy"], LEAST)


if __name__ == "__main__":
    support.main()
