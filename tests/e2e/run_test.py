# A whole run with all four techniques on a tiny network, and everything that is made from it.
import csv
import hashlib
import math
import os
import re
import shutil

import support
from support import CHANNEL, CONFIDENCE, HEAD, QAT, STUDENT, run, run_json

LABELS = ["baseline", "student", "channel", "qat", "confidence"]
ROW_KEYS = {"stage", "technique", "accuracy", "macs", "bitops", "bitops_cr", "parameters",
            "stored_bytes", "cr", "seconds", "latency_ms", "latency_ratio"}


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


class WholeRun(support.Workplace):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.config = cls.write("tiny.toml", HEAD + CONFIDENCE + QAT + CHANNEL + STUDENT)
        cls.document = run_json("run", cls.config, "--output", cls.path("out"))
        cls.rows = cls.document["rows"]

    def test_output_directory_is_complete(self):
        self.assert_files("out", "config.toml", "plan.json", "ledger.json", "ledger.csv",
                          "report.html", "network.safetensors", "topress.log")
        for number, label in enumerate(LABELS):
            self.assert_files("out", f"stages/{number:02}-{label}.safetensors")
        self.assertEqual(self.read_json("out/ledger.json"), self.document)
        self.assertEqual(self.read_json("out/plan.json")["order"], LABELS[1:])

    def test_rows_are_in_the_derived_order_and_complete(self):
        self.assertEqual([row["stage"] for row in self.rows], LABELS)
        self.assertEqual(self.document["state"], "finished")
        for row in self.rows:
            self.assertLessEqual(ROW_KEYS, row.keys())
            self.assertTrue(0 <= row["accuracy"] <= 1 and row["latency_ms"] > 0)
            self.assertAlmostEqual(row["bitops_cr"], self.rows[0]["bitops"] / row["bitops"])
            self.assertAlmostEqual(row["cr"], self.rows[0]["stored_bytes"] / row["stored_bytes"])
        self.assertEqual([i for i, row in enumerate(self.rows) if "test_accuracy" in row], [0, 4])

    def test_every_stage_makes_the_network_cheaper(self):
        macs = [row["macs"] for row in self.rows]  # heads of exits are float: few MACs, more bits
        self.assertEqual(macs, sorted(macs, reverse=True))
        bitops = [row["bitops"] for row in self.rows[:4]]
        self.assertEqual(bitops, sorted(bitops, reverse=True))
        self.assertLess(self.rows[2]["macs"], 0.75 * self.rows[1]["macs"])
        self.assertGreater(self.rows[3]["bitops_cr"], 20 * self.rows[2]["bitops_cr"])
        exits = self.rows[4]["exits"]
        self.assertAlmostEqual(sum(exit["share"] for exit in exits), 1.0)
        self.assertGreater(self.rows[0]["accuracy"], 0.5, "the baseline did not learn")

    def test_eval_of_the_saved_network_equals_the_ledger(self):
        network = self.path("out/network.safetensors")
        where = ("--data-path", self.path("data"), "--threads", 1)
        test = run_json("eval", network, *where)
        self.assertEqual(test["accuracy"], self.rows[-1]["test_accuracy"])
        self.assertEqual(test["samples"], 300)
        validation = run_json("eval", network, *where, "--split", "validation", "--data", "mnist")
        self.assertEqual(validation["accuracy"], self.rows[-1]["accuracy"])
        self.assertEqual([exit["share"] for exit in validation["exits"]],
                         [exit["share"] for exit in self.rows[-1]["exits"]])
        with_config = run_json("eval", network, "--config", self.config, "--threads", 1)
        self.assertEqual(with_config["accuracy"], test["accuracy"])

    def test_eval_computes_in_double_too(self):
        network = self.path("out/network.safetensors")
        logits, found = [], []
        for number, flags in enumerate(([], ["--double"])):
            table = self.path(f"answers-{number}.csv")
            found.append(run_json("eval", network, "--data-path", self.path("data"), "--threads", 1,
                                  "--answers", table, *flags))
            with open(table, newline="", encoding="utf-8") as file:
                logits.append([[float(cell) for name, cell in line.items() if name.startswith("logit ")]
                               for line in csv.DictReader(file)])
        self.assertEqual([document["computed_in"] for document in found], ["float32", "float64"])
        self.assertAlmostEqual(found[0]["accuracy"], found[1]["accuracy"], delta=0.02)
        apart = [max(abs(a - b) for a, b in zip(*pair, strict=True)) for pair in zip(*logits, strict=True)]
        # A value in the middle between two steps of a quantizer may fall on either side.
        self.assertLess(sorted(apart)[len(apart) // 2], 1e-4)
        self.assertGreater(max(apart), 0.0)

    def test_eval_tells_the_answer_to_every_sample(self):
        network, table = self.path("out/network.safetensors"), self.path("answers.csv")
        where = ("--data-path", self.path("data"), "--threads", 1)
        found = run_json("eval", network, *where, "--answers", table)
        with open(table, newline="", encoding="utf-8") as file:
            lines = list(csv.DictReader(file))
        self.assertEqual([line["sample"] for line in lines], [str(i) for i in range(300)])
        right = sum(line["answer"] == line["label"] for line in lines)
        self.assertAlmostEqual(right / 300, found["accuracy"])
        for exit_ in found["exits"]:
            left = sum(line["exit"] == exit_["name"] for line in lines)
            self.assertAlmostEqual(left / 300, exit_["share"], msg=exit_["name"])
        for line in lines:
            logits = {name[len("logit "):]: float(cell) for name, cell in line.items() if name.startswith("logit ")}
            self.assertEqual(max(logits, key=logits.get), line["answer"])
        nowhere = self.path("absent/answers.csv")
        # Said before anything long begins, so before the data are looked for.
        failed = run_json("eval", network, "--data-path", self.path("none"), "--answers", nowhere, status=1)
        self.assertEqual(failed["diagnostics"][0]["code"], "file/cannot-write")

    def test_every_checkpoint_evaluates_to_its_row(self):
        for number, row in enumerate(self.rows):
            file = self.path(f"out/stages/{number:02}-{row['stage']}.safetensors")
            found = run_json("eval", file, "--data-path", self.path("data"), "--threads", 1,
                             "--split", "validation")
            self.assertEqual(found["accuracy"], row["accuracy"], row["stage"])

    def test_cost_and_inspect_agree_with_the_ledger(self):
        network = self.path("out/network.safetensors")
        cost = run_json("cost", network)
        self.assertEqual(cost["expected_bitops"], self.rows[-1]["bitops"])
        self.assertEqual(cost["expected_macs"], self.rows[-1]["macs"])
        self.assertEqual(cost["stored_bytes"], self.rows[-1]["stored_bytes"])
        seen = run_json("inspect", network)
        self.assertEqual(len(seen["exits"]) + 1, len(self.rows[-1]["exits"]))
        self.assertIn("quantize", {node["op"] for node in seen["nodes"]})
        self.assertIn("exit ", run("inspect", network).stdout)

    def test_watch_tells_how_the_run_ended(self):
        seen = run_json("watch", self.path("out"))
        self.assertEqual(seen["state"], "finished")
        for stage, row in zip(seen["stages"], self.rows, strict=True):
            self.assertEqual((stage["label"], stage["state"]), (row["stage"], "finished"))
            self.assertEqual({**row, **stage["row"]}, row)
        text = run("watch", self.path("out"), "--once").stdout
        self.assertIn("finished, 5 of 5 stages", text)
        self.assertIn("done  confidence", text)
        self.assertEqual(len(os.listdir(self.path("out/tensorboard"))), 1)
        run_json("watch", self.path("data"), status=1)

    def test_csv_has_the_same_figures(self):
        with open(self.path("out/ledger.csv"), encoding="utf-8") as file:
            lines = [line.strip().split(",") for line in file]
        self.assertEqual(len(lines), 1 + len(self.rows))
        column = lines[0].index("bitops_cr")
        for line, row in zip(lines[1:], self.rows):
            self.assertTrue(math.isclose(float(line[column]), row["bitops_cr"]))

    def test_resolved_config_has_every_default_and_plans_the_same(self):
        shutil.copy(self.path("out/config.toml"), self.path("again.toml"))
        plan = run_json("plan", self.path("again.toml"))
        self.assertEqual(plan["stages"], self.read_json("out/plan.json")["stages"])

    def test_resumed_run_ends_with_the_same_bytes(self):
        shutil.copytree(self.path("out"), self.path("resumed"))
        for name in ("03-qat.json", "04-confidence.json"):
            os.remove(self.path(f"resumed/stages/{name}"))
        again = run_json("run", self.config, "--output", self.path("resumed"), "--resume")
        self.assertEqual([row["resumed"] for row in again["rows"]],
                         [True, True, True, False, False])
        self.assertEqual(digest(self.path("resumed/network.safetensors")),
                         digest(self.path("out/network.safetensors")))
        self.assertEqual(again["rows"][-1]["test_accuracy"], self.rows[-1]["test_accuracy"])

    def test_profile_tells_where_the_time_went_and_changes_no_result(self):
        done = run("run", self.config, "--output", self.path("profiled"), "--no-cache", "--brief", "--profile")
        self.assertIn("where the time went", done.stderr)
        self.assertIn("convolution_backward", done.stderr)
        self.assertEqual(digest(self.path("profiled/network.safetensors")), digest(self.path("out/network.safetensors")))
        events = self.read_json("profiled/profile.json")["traceEvents"]
        names = {event["name"] for event in events}
        for name in LABELS + ["data", "teacher", "forward", "loss", "backward", "optimizer", "evaluation", "write"]:
            self.assertIn(name, names)
        for event in events[:100]:
            self.assertEqual((event["ph"], event["pid"]), ("X", 1))
            self.assertGreaterEqual(event["dur"], 0)

    def test_changed_settings_are_not_resumed(self):
        shutil.copytree(self.path("out"), self.path("changed"))
        other = run_json("run", self.config, "--output", self.path("changed"), "--resume",
                         "--set", "technique.confidence.epochs=0.5")
        self.assertEqual([row["resumed"] for row in other["rows"]],
                         [True, True, True, True, False])

    def test_report_is_written_anew_from_the_ledger(self):
        shutil.copytree(self.path("out"), self.path("reported"))
        os.remove(self.path("reported/report.html"))
        document = run_json("report", self.path("reported"))
        self.assertEqual(document["report"], self.path("reported/report.html"))
        with open(self.path("reported/report.html"), encoding="utf-8") as file:
            page = file.read()
        with open(self.path("out/report.html"), encoding="utf-8") as file:
            self.assertEqual(page, file.read())
        self.assertIsNone(re.search(r"(src|href)\s*=\s*[\"']https?:", page))

    def test_several_runs_are_compared(self):
        shutil.copytree(self.path("out"), self.path("other"))
        page = self.path("both.html")
        document = run_json("report", self.path("out"), self.path("other"), "--comparison", page)
        self.assertEqual(document["comparison"], page)
        self.assertEqual(len(document["reports"]), 2)
        with open(page, encoding="utf-8") as file:
            self.assertIn('"name":"other"', file.read())
        os.remove(page)
        run_json("report", self.path("out"), self.path("data"), "--comparison", page, status=1)
        self.assertFalse(os.path.exists(page))


if __name__ == "__main__":
    support.main()
