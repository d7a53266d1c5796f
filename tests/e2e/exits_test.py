# Kinds of heads, ways to place and to train them: samples leave, the network answers, the file says what was asked for.
import csv
import json
import struct

import support
from support import CONFIDENCE, HEAD, LEAST, rows_of, run, run_json


class Exits(support.Workplace):
    def graph(self, name):
        """The graph in a saved network."""
        with open(self.path(f"{name}/network.safetensors"), "rb") as file:
            (size,) = struct.unpack("<Q", file.read(8))
            return json.loads(json.loads(file.read(size))["__metadata__"]["topress.graph"])

    def test_every_criterion_of_exits_lets_samples_leave(self):
        for criterion in ("max-probability", "margin", "entropy"):
            with self.subTest(criterion=criterion):
                rows = rows_of(self, f"exit-{criterion}", HEAD + CONFIDENCE + f'criterion = "{criterion}"\n')
                exits = rows[1]["exits"]
                self.assertGreater(exits[0]["share"], 0.0)
                self.assertGreater(rows[1]["accuracy"], rows[0]["accuracy"] - 0.031)

    def test_every_kind_of_head_answers(self):
        kinds = {"linear": ["global_avg_pool", "flatten", "linear"],
                 "conv": ["conv2d", "relu", "global_avg_pool", "flatten", "linear"],
                 "features": ["conv2d", "relu", "global_avg_pool", "flatten", "linear"]}
        for kind, operators in kinds.items():
            with self.subTest(head=kind):
                rows = rows_of(self, f"head-{kind}", HEAD + CONFIDENCE + f'head = "{kind}"\ncodewords = 24\n')
                self.assertGreater(rows[1]["accuracy"], rows[0]["accuracy"] - 0.031)
                self.assertLess(rows[1]["bitops"], rows[0]["bitops"])
                graph = self.graph(f"head-{kind}")
                first = graph["exits"][0]["name"]
                head = [node["op"] for node in graph["nodes"] if node["name"].startswith(first + ".")]
                self.assertEqual(head, operators)

    def test_heads_stand_where_they_are_told_to(self):
        places = 'places = ["stage2.block0.relu2", "stage1.block1.relu2.out"]\n'
        rows_of(self, "named", HEAD + CONFIDENCE + places)
        graph = self.graph("named")
        read = {node["inputs"][0] for node in graph["nodes"] if node["name"].endswith(".pool")
                and node["name"].startswith("exit")}
        self.assertTrue(read)
        self.assertTrue(read <= {"stage2.block0.relu2.out", "stage1.block1.relu2.out"})
        wrong = self.write("wrong.toml", HEAD + CONFIDENCE + 'places = ["stage9.relu"]\n')
        found = run_json("run", wrong, "--brief", "--output", self.path("wrong"), status=4)["diagnostics"]
        self.assertIn("no head can be attached at 'stage9.relu'", found[0]["message"])
        self.assertIn("stage2.block0.relu2.out", found[0]["message"])

    def test_the_best_of_the_candidates_are_kept(self):
        one = rows_of(self, "one-of-five", HEAD + CONFIDENCE + "candidates = 5\nmaximum_exits = 1\n")
        self.assertEqual(len(self.graph("one-of-five")["exits"]), 1)
        two = rows_of(self, "two-of-five", HEAD + CONFIDENCE + "candidates = 5\nmaximum_exits = 2\n")
        self.assertLessEqual(len(self.graph("two-of-five")["exits"]), 2)
        self.assertLessEqual(two[1]["bitops"], one[1]["bitops"] * (1 + 1e-9))

    def right(self, network):
        """Of every validation sample whether the network answers it right."""
        file = self.path("answers.csv")
        run("eval", network, "--data-path", self.path("data"), "--split", "validation", "--threads", 1, "--answers", file)
        with open(file, newline="", encoding="utf-8") as answers:
            return [line["answer"] == line["label"] for line in csv.DictReader(answers)]

    def test_no_sample_is_lost_where_none_may_be(self):
        exits = HEAD + CONFIDENCE.replace("3.0", "0.0") + "minimum_saving = 0.0\n"
        rows = rows_of(self, "none-lost", exits)
        self.assertLess(rows[1]["bitops"], rows[0]["bitops"])
        before, after = (self.right(self.path(f"none-lost/stages/{stage}.safetensors"))
                         for stage in ("00-baseline", "01-confidence"))
        self.assertTrue(all(now for then, now in zip(before, after) if then))
        traded = rows_of(self, "traded", exits + "count_gains = true\n")
        self.assertLessEqual(traded[1]["bitops"], rows[1]["bitops"])
        self.assertGreaterEqual(traded[1]["accuracy"], traded[0]["accuracy"])

    def test_an_exit_that_saves_too_little_is_left_out(self):
        rows_of(self, "fine", HEAD + CONFIDENCE + "candidates = 5\nmaximum_exits = 5\nminimum_saving = 0.0\n")
        kept = rows_of(self, "coarse", HEAD + CONFIDENCE + "candidates = 5\nmaximum_exits = 5\nminimum_saving = 0.1\n")
        self.assertLess(len(self.graph("coarse")["exits"]), len(self.graph("fine")["exits"]))
        self.assertGreater(len(self.graph("coarse")["exits"]), 0)
        self.assertLess(kept[1]["bitops"], kept[0]["bitops"] * 0.9)
        for training in ("frozen", "joint"):  # joint: a body that was trained for nothing is given back
            name = f"none-{training}"
            rows = rows_of(self, name, HEAD + CONFIDENCE + f'minimum_saving = 0.95\ntraining = "{training}"\n')
            self.assertEqual(self.graph(name)["exits"], [])
            self.assertEqual(rows[1]["bitops"], rows[0]["bitops"])
            self.assertEqual(rows[1]["accuracy"], rows[0]["accuracy"])
            with open(self.path(f"{name}/topress.log")) as log:
                self.assertIn("no exit saves minimum_saving within max_drop_pp", log.read())

    def test_joint_training_changes_the_body_too(self):
        rows = rows_of(self, "joint", HEAD + CONFIDENCE + 'training = "joint"\n')
        self.assertGreater(rows[1]["accuracy"], LEAST)
        self.assertGreater(rows[1]["exits"][0]["share"], 0)
        self.assertEqual(rows[1]["curves"][0]["phase"], "joint")
        bodies = []
        for stage in ("00-baseline", "01-confidence"):
            with open(self.path(f"joint/stages/{stage}.safetensors"), "rb") as file:
                (size,) = struct.unpack("<Q", file.read(8))
                begin, end = json.loads(file.read(size))["stage1.block0.conv1.weight"]["data_offsets"]
                file.seek(8 + size + begin)
                bodies.append(file.read(end - begin))
        self.assertEqual(len(bodies[0]), 8 * 8 * 9 * 4)
        self.assertNotEqual(bodies[0], bodies[1])

    def test_what_joint_training_costs_the_body_counts_as_lost(self):
        # At this rate and weight the body forgets what it knew for the sake of its heads.
        harsh = 'training = "joint"\nlearning_rate = 0.5\nheads_weight = 100.0\noriginal_weight = 0.0\n'
        rows = rows_of(self, "harsh", HEAD + CONFIDENCE + harsh)
        self.assertEqual(self.graph("harsh")["exits"], [])
        self.assertEqual(rows[1]["accuracy"], rows[0]["accuracy"])
        self.assertEqual(rows[1]["bitops"], rows[0]["bitops"])
        with open(self.path("harsh/topress.log")) as log:
            self.assertIn("training the body with its heads cost the main output", log.read())
        rows = rows_of(self, "held", HEAD + CONFIDENCE + 'training = "joint"\n')
        self.assertGreaterEqual(rows[1]["accuracy"], rows[0]["accuracy"] - 0.03 - 1e-6)


if __name__ == "__main__":
    support.main()
