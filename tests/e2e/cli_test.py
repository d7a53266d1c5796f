# The command line without any training: help, versions, mistakes, JSON on failure, cost, plan.
import itertools
import os
import pathlib

import support
from support import CHANNEL, CONFIDENCE, HEAD, QAT, STUDENT, run, run_json

COMMANDS = ("run", "plan", "plugin list", "plugin doc", "plugin new", "plugin why", "cost", "inspect", "eval", "report")


class CommandLine(support.Workplace):
    def test_help_names_every_command_and_fits_80_columns(self):
        text = run("--help").stdout
        for command in COMMANDS:
            self.assertIn(command.split()[0], text)
        self.assertIn("Exit status", text)
        for command in COMMANDS:
            for line in run(*command.split(), "--help").stdout.splitlines() + text.splitlines():
                self.assertLessEqual(len(line), 80, line)

    def test_version_tells_libtorch_and_abi(self):
        self.assertRegex(run("--version").stdout,
                         r"^topress \d+\.\d+\.\d+ \(LibTorch \d+\.\d+\.\d+, plugin ABI \d+\.\d+\)\n$")

    def test_mistakes_on_the_command_line_end_with_2_and_the_nearest_name(self):
        for arguments, hint in ((("plna", "x.toml"), "'plan'"), (("plugin", "lst"), "'list'"),
                                (("run", "x.toml", "--ouput", "d"), "'--output'"),
                                (("cost", "--jsn"), "'--json'")):
            done = run(*arguments, status=2)
            self.assertEqual(done.stdout, "")
            self.assertIn(hint, done.stderr)
        run(status=2)
        run("run", status=2)
        run("eval", "x.safetensors", "--split", "train", status=2)
        run("cost", "x.safetensors", "--log-level", "loud", status=2)

    def test_plugin_doc_renders_a_plugin_or_one_technique(self):
        page = run("plugin", "doc", "pruning.channel").stdout
        self.assertIn("macs_ratio", page)
        self.assertTrue(all(len(line) <= 80 for line in page.splitlines()), page)
        source = pathlib.Path(__file__).resolve().parents[2] / "docs/plugins/distillation.md"
        self.assertEqual(run("plugin", "doc", "org.topress.distillation", "--markdown").stdout,
                         source.read_text())
        document = run_json("plugin", "doc", "distillation.recovery")
        self.assertEqual([technique["id"] for technique in document["plugin"]["techniques"]],
                         ["distillation.recovery"])
        wrong = run("plugin", "doc", "pruning.chanel", status=4)
        self.assertIn("error[plugin/unknown-id]", wrong.stderr)
        self.assertIn("'pruning.channel'", wrong.stderr)

    def test_every_failure_is_one_json_document(self):
        bad = self.write("bad.toml", HEAD.replace("depth = 14", 'depht = "x"'))
        absent = self.path("absent.safetensors")
        for command, arguments, status in (
                ("run", [bad], 3), ("plan", [bad], 3), ("cost", [bad], 3), ("cost", [absent], 1),
                ("inspect", [absent], 1), ("eval", [absent], 1), ("report", [self.folder], 1),
                ("cost", [], 2), ("run", [], 2), ("plan", ["--what"], 2)):
            document = run_json(command, *arguments, status=status)
            self.assertEqual((document["schema"], document["command"], document["status"]),
                             (1, command, "error"))
            first = document["diagnostics"][0]
            self.assertLessEqual({"code", "severity", "message", "file", "line", "column", "hint"},
                                 first.keys())
            self.assertRegex(first["code"], r"^[a-z]+/[a-z-]+$")

    def test_unknown_key_is_told_with_line_and_column(self):
        bad = self.write("key.toml", HEAD + "[technique.channel]\nmac_ratio = 0.5\n")
        diagnostics = run_json("plan", bad, status=3)["diagnostics"]
        line = HEAD.count("\n") + 2
        self.assertIn(("config/unknown-key", line, 1),
                      [(entry["code"], entry["line"], entry["column"]) for entry in diagnostics])

    def test_cost_of_resnet34_is_the_published_one(self):
        config = self.write("r34.toml", 'schema = 1\n[model]\narchitecture = "resnet"\ndepth = 34\n'
                                        'width = 64\n[data]\ndataset = "cifar10"\n')
        for arguments in ([config], ["--architecture", "resnet", "--depth", 34, "--width", 64]):
            document = run_json("cost", *arguments)
            self.assertEqual(document["macs"], 1159402496)
            self.assertEqual(document["parameters"], 21282122)
            self.assertEqual(document["bitops"], 1159402496 * 1024)
            self.assertEqual(sum(entry["macs"] for entry in document["operators"]), 1159402496)
        self.assertIn("1,159,402,496", run("cost", config).stdout)
        self.assertIn("21,282,122", run("cost", config).stdout)

    def test_cost_needs_neither_pictures_nor_memory(self):
        config = self.write("r50.toml", 'schema = 1\n[model]\narchitecture = "resnet"\nstem = "imagenet"\n'
                                        '[data]\ndataset = "image-folder"\npath = "nowhere"\n')
        picture = ["--input", "3x224x224", "--classes", 1000]
        self.assertEqual(run_json("cost", config, *picture)["macs"], 4089184256)
        failed = run("cost", config, status=1)
        self.assertIn("cost/unknown-shape", failed.stderr)
        self.assertIn("--input 3x224x224", failed.stderr)
        vgg = run_json("cost", "--architecture", "vgg", "--depth", 19, "--stem", "imagenet", *picture)
        self.assertEqual(vgg["parameters"], 143678248)
        refused = run("cost", "--architecture", "densenet", "--stem", "imagenet", *picture, status=1)
        self.assertIn("its only stem is small", refused.stderr)

    def test_order_does_not_depend_on_the_order_in_the_file(self):
        tables = (STUDENT, CHANNEL, QAT, CONFIDENCE)
        for number, sequence in enumerate(itertools.permutations(tables)):
            if number % 5 == 0:  # every fifth of 24: the ordering engine's own tests have them all
                config = self.write(f"order{number}.toml", HEAD + "".join(sequence))
                plan = run_json("plan", config)
                self.assertEqual(plan["order"], ["student", "channel", "qat", "confidence"])
        self.assertTrue(all(edge["reason"] for edge in plan["edges"]))
        self.assertEqual([stage["label"] for stage in plan["stages"]], plan["order"])

    def test_plan_draws_and_explains(self):
        config = self.write("plan.toml", HEAD + QAT + STUDENT)
        text = run("plan", config, "--dot", self.path("order.dot")).stdout
        self.assertLess(text.index("student"), text.index("qat"))
        with open(self.path("order.dot"), encoding="utf-8") as file:
            self.assertIn("digraph", file.read())

    def test_forced_order_against_the_rules_needs_override(self):
        forced = HEAD + '[order]\nforce = ["qat", "student"]\n' + QAT + STUDENT
        config = self.write("forced.toml", forced)
        self.assertEqual(run_json("plan", config, status=5)["diagnostics"][-1]["code"],
                         "order/forced-illegal")
        plan = run_json("plan", config, "--set", "order.override=true")
        self.assertEqual(plan["order"], ["qat", "student"])
        self.assertTrue(plan["forced"] and plan["violated"])

    def test_plugin_list_has_the_bundled_techniques(self):
        document = run_json("plugin", "list")
        ids = {technique["id"] for plugin in document["plugins"]
               for technique in plugin["techniques"] if plugin["verdict"] == "loadable"}
        self.assertLessEqual({"distillation.student", "pruning.channel", "quantization.qat",
                              "early_exit.confidence"}, ids)
        self.assertIn("pruning.channel", run("plugin", "list").stdout)

    def test_refused_plugins_are_listed_with_the_reason(self):
        os.makedirs(self.path("plugins"), exist_ok=True)
        self.write("plugins/text.so", "this is no library\n")
        document = run_json("plugin", "list", "--plugin-path", self.path("plugins"))
        refused = [entry for entry in document["plugins"] if entry["verdict"] == "refused"]
        self.assertEqual([entry["refusal"]["code"] for entry in refused], ["plugin/not-elf"])

    def test_standard_output_has_the_result_only(self):
        done = run("cost", "--architecture", "resnet", "--depth", 8, "-v")
        self.assertTrue(done.stdout.startswith("operator"))
        self.assertNotIn("\x1b", done.stdout + done.stderr)


if __name__ == "__main__":
    support.main()
