# What a plan says about orders: evidence, rule sets, and who decides where they disagree; and its page.
import pathlib

import support
from support import CHANNEL, CONFIDENCE, HEAD, QAT, STUDENT, run, run_json

CONFIGURATIONS = pathlib.Path(__file__).resolve().parents[2] / "configs"
ALL = STUDENT + CHANNEL + QAT + CONFIDENCE

EVIDENCE = """
schema = 1
name = "{name}"
[scope]
networks = ["{network}"]
datasets = ["{dataset}"]
budget = "2 epochs each"
[[pair]]
before = "distillation.student"
after = "pruning.channel"
difference = {difference}
interval = [{low}, {high}]
seeds = 3
[[intensity]]
technique = "pruning.channel"
bitops_ratio = 1.5
[[intensity]]
technique = "quantization.qat"
bitops_ratio = {qat}
"""


def codes(document):
    return [found["code"] for found in document["diagnostics"] if found["severity"] != "info"]


class Plans(support.Workplace):
    def evidence(self, name, difference, half, network="resnet14", dataset="mnist", qat=64.0):
        text = EVIDENCE.format(name=name, network=network, dataset=dataset, qat=qat,
                               difference=difference, low=difference - half, high=difference + half)
        return self.write(f"{name}.toml", text)

    def config(self, text=ALL):
        return self.write("plan.toml", HEAD + text)

    def test_every_configuration_that_is_shipped_can_be_planned(self):
        configurations = sorted(path for folder in (".", "reproduce", "explore")
                                for path in (CONFIGURATIONS / folder).glob("*.toml")
                                if path.name != "third-party.toml")  # third_party_test.py has its plugins
        self.assertGreater(len(configurations), 15)
        for path in configurations:
            with self.subTest(configuration=path.name):
                self.assertGreater(len(run_json("plan", path)["order"]), 1)

    def test_measurements_in_scope_decide_and_contradict_the_rule(self):
        measured = self.evidence("against", -0.02, 0.01)
        plan = run_json("plan", self.config(), "--evidence", measured)
        self.assertEqual(plan["order"], ["channel", "student", "qat", "confidence"])
        self.assertEqual(codes(plan), ["order/rule-contradicted"])
        self.assertIn("plan/undoes", [found["code"] for found in plan["diagnostics"]])  # information
        (pair,) = plan["measured"]
        self.assertEqual((pair["before"], pair["after"], pair["in_scope"], pair["decided"]),
                         ("pruning.channel", "distillation.student", True, True))
        (found,) = plan["contradicted_rules"]
        self.assertEqual((found["rule"]["before"], found["rule"]["after"], found["rule"]["used"]),
                         ("student", "channel", False))
        self.assertEqual(found["evidence"]["line"], 8)
        text = run("plan", self.config(), "--evidence", measured).stdout
        self.assertIn("rules that measurements contradict", text)
        self.assertIn("2.00 pp higher", text)

    def test_measurements_from_elsewhere_do_not_outweigh_rules(self):
        for network, dataset in (("resnet8", "mnist"), ("resnet14", "cifar10")):
            elsewhere = self.evidence("elsewhere", -0.02, 0.01, network, dataset)
            plan = run_json("plan", self.config(), "--evidence", elsewhere)
            self.assertEqual(plan["order"][:2], ["student", "channel"])
            self.assertEqual([(edge["origin"], edge["used"]) for edge in plan["edges"]
                              if edge["before"] == "channel" and edge["after"] == "student"],
                             [("evidence elsewhere", False)])
            self.assertEqual(plan["contradicted_rules"], [])

    def test_undecided_pairs_are_listed_and_order_nothing(self):
        plan = run_json("plan", self.config(), "--evidence", self.evidence("open", -0.02, 0.03))
        self.assertEqual(plan["order"][:2], ["student", "channel"])
        self.assertEqual([pair["decided"] for pair in plan["measured"]], [False])
        self.assertIn("order/evidence-undecided", [found["code"] for found in plan["diagnostics"]])

    def test_files_that_disagree_weigh_less(self):
        strong = self.evidence("strong", -0.02, 0.01)
        other = self.evidence("other", 0.02, 0.01)
        plan = run_json("plan", self.config(), "--evidence", strong, "--evidence", other)
        (pair,) = plan["measured"]
        self.assertEqual((pair["decided"], pair["seeds"], pair["evidence"]),
                         (False, 6, ["other", "strong"]))
        self.assertEqual(plan["order"][:2], ["student", "channel"])

    def test_configuration_names_evidence_beside_it(self):
        self.evidence("beside", -0.02, 0.01)
        order = '[order]\nevidence = ["beside.toml"]\n'
        self.assertEqual(run_json("plan", self.config(order + ALL))["order"][0], "channel")
        wrong = run_json("plan", self.config(order.replace(".toml", "") + ALL), status=3)
        self.assertEqual(codes(wrong), ["config/unknown-evidence"])

    def test_mistakes_in_evidence_are_told_with_file_and_line(self):
        bad = self.write("bad.toml", EVIDENCE.replace("seeds = 3", "seeds = 1").format(
            name="bad", network="resnet", dataset="mnist", difference=0, low=-1, high=1, qat=2))
        (found,) = run_json("plan", self.config(), "--evidence", bad, status=3)["diagnostics"]
        self.assertEqual((found["code"], found["file"], found["line"]), ("config/bad-evidence", bad, 13))

    def test_rule_sets_by_name_replace_the_default(self):
        plan = run_json("plan", self.config(), "--rules", "prune-quantize-distil",
                        "--rules", "order-of-compression")
        self.assertEqual(plan["order"], ["channel", "qat", "student", "confidence"])
        self.assertEqual(set(codes(plan)), {"order/rules-disagree"})
        plan = run_json("plan", self.config(), "--rules", "order-of-compression",
                        "--rules", "prune-quantize-distil")
        self.assertEqual(plan["order"], ["student", "channel", "qat", "confidence"])
        self.assertEqual(set(codes(plan)), {"order/rules-disagree"})
        wrong = run_json("plan", self.config(), "--rules", "prune-quantise-distil", status=3)
        self.assertIn("'prune-quantize-distil'", wrong["diagnostics"][0]["hint"])

    def test_a_rule_file_of_the_user(self):
        mine = self.write("mine.toml", 'schema = 1\n[[rule]]\nbefore = "quantization.qat"\n'
                                       'after = "pruning.channel"\nreason = "our experience"\n')
        plan = run_json("plan", self.config(), "--rules", mine, "--rules", "order-of-compression")
        self.assertLess(plan["order"].index("qat"), plan["order"].index("channel"))

    def test_weaker_first_needs_intensities_and_says_so(self):
        plan = run_json("plan", self.config(), "--rules", "weaker-first")
        self.assertEqual(sum(found["code"] == "order/no-intensity" for found in plan["diagnostics"]), 3)
        self.assertEqual(plan["edges"], [])
        measured = self.evidence("weights", 0, 0.01, qat=1.2)
        plan = run_json("plan", self.config(), "--rules", "weaker-first", "--evidence", measured)
        self.assertLess(plan["order"].index("qat"), plan["order"].index("channel"))
        configured = self.config(ALL.replace("[technique.qat]", "[technique.qat]\nintensity = 64"))
        plan = run_json("plan", configured, "--rules", "weaker-first", "--evidence", measured)
        self.assertLess(plan["order"].index("channel"), plan["order"].index("qat"))
        self.assertIn("64x, configured", plan["edges"][0]["reason"])

    def test_the_page_keeps_to_80_columns_and_to_ascii_where_asked(self):
        plain = run("plan", self.config()).stdout
        self.assertTrue(plain.isascii())
        self.assertIn("  student --> channel --> qat --> confidence\n", plain)
        drawn = run("plan", self.config(), TERM="xterm").stdout
        self.assertIn("  student ──▶ channel ──▶ qat ──▶ confidence\n", drawn)
        for other in ({"TERM": "xterm", "NO_COLOR": "1"}, {"TERM": "xterm", "LC_ALL": "C"}):
            self.assertEqual(run("plan", self.config(), **other).stdout, plain)
        self.assertEqual(run("plan", self.config(), "--no-color", TERM="xterm").stdout, plain)
        for line in (plain + drawn).splitlines():
            self.assertLessEqual(len(line), 80, line)
            self.assertNotIn("\033", line)

    def test_a_set_aside_relation_is_drawn_apart(self):
        edge = '[[order.edge]]\nbefore = "channel"\nafter = "student"\nreason = "tried"\n'
        text = run("plan", self.config(edge + ALL), TERM="xterm").stdout
        self.assertIn("┄┄▶ set aside", text)

    def test_without_each_technique(self):
        plan = run_json("plan", self.config())
        self.assertEqual([entry["without"] for entry in plan["without"]], plan["order"])
        self.assertEqual(plan["without"][1]["order"], ["student", "qat", "confidence"])
        self.assertEqual(plan["without"][1]["turned"], [])
        text = run("plan", self.config()).stdout
        self.assertIn("  without channel     student, qat, confidence (unchanged)\n", text)

    def test_cost_is_estimated_for_every_stage(self):
        plan = run_json("plan", self.config())
        rows = {row["stage"]: row for row in plan["estimate"]["stages"]}
        self.assertEqual(list(rows), ["baseline", *plan["order"]])
        self.assertEqual(rows["baseline"]["macs"], plan["baseline"]["macs"])
        self.assertEqual(rows["baseline"]["epochs"], 2)
        self.assertLess(rows["student"]["macs"], rows["baseline"]["macs"])
        ratio = plan["stages"][1]["parameters"]["macs_ratio"]
        self.assertAlmostEqual(rows["channel"]["macs"] / rows["student"]["macs"], ratio)
        self.assertEqual(rows["qat"]["macs"], rows["channel"]["macs"])
        self.assertGreater(rows["qat"]["bitops_cr"], 10)
        self.assertEqual((rows["confidence"]["state"], rows["confidence"]["macs"]),
                         ("measured-only", None))
        self.assertEqual(plan["estimate"]["epochs"], sum(row["epochs"] for row in rows.values()))
        self.assertEqual(plan["estimate"]["sample_passes"], plan["estimate"]["epochs"] * 54000)
        text = run("plan", self.config()).stdout
        self.assertIn("estimated, before anything runs", text)
        self.assertIn("measured only", text)

    def test_a_forced_order_says_what_it_undoes(self):
        force = '[order]\nforce = ["channel", "student", "qat", "confidence"]\noverride = true\n'
        plan = run_json("plan", self.config(force + ALL))
        (found,) = [each for each in plan["diagnostics"] if each["code"] == "plan/undoes"]
        self.assertEqual(found["severity"], "warning")
        self.assertIn("'student' replaces the network that 'channel' worked on", found["message"])
        self.assertIn("━╳▶", run("plan", self.config(force + ALL), TERM="xterm").stdout)
        self.assertNotIn("plan/undoes", codes(run_json("plan", self.config())))

    def test_odd_channels_before_eight_bits(self):
        def severities(bits, multiple):
            plan = run_json("plan", self.config(),
                            "--set", f"technique.qat.weight_bits={bits}",
                            "--set", f"technique.qat.activation_bits={bits}",
                            "--set", f"technique.channel.round_to={multiple}")
            return [found["severity"] for found in plan["diagnostics"]
                    if found["code"] == "plan/channel-multiple"]
        self.assertEqual(severities(8, 4), ["warning"])
        self.assertEqual(severities(4, 4), ["info"])
        self.assertEqual(severities(8, 16), [])


if __name__ == "__main__":
    support.main()
