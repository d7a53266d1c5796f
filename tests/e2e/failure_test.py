# Runs that do not go through: what stays on disk, and with which status the program ends.
import json
import os
import signal

import support
from support import CHANNEL, HEAD, QAT, STUDENT, run, run_json

SHORT = HEAD.replace("epochs = 2", "epochs = 1").replace("depth = 14", "depth = 8")
THROWS = '[technique.faulty]\nuse = "fixture.throws-in-apply"\nwhat = "standard"\n'


def fixtures():
    return os.environ["TOPRESS_FIXTURE_PLUGINS"].split(os.pathsep)


def with_fixtures():
    return [part for folder in fixtures() for part in ("--plugin-path", folder)]


class Failures(support.Workplace):
    def assert_rows(self, folder, labels):
        ledger = self.read_json(f"{folder}/ledger.json")
        self.assertEqual([row["stage"] for row in ledger["rows"]], labels)
        self.assert_files(folder, "report.html", "ledger.csv", "config.toml", "plan.json")
        for number, label in enumerate(labels):
            self.assert_files(folder, f"stages/{number:02}-{label}.safetensors")
        return ledger

    def has_text(self, name, text):
        if not os.path.exists(self.path(name)):
            return False
        with open(self.path(name), encoding="utf-8") as file:
            return text in file.read()

    def test_throwing_plugin_is_named_and_the_rows_before_it_stay(self):
        text = SHORT + QAT.replace("epochs = 1", "epochs = 0.5") + THROWS
        text += '[[order.edge]]\nbefore = "qat"\nafter = "faulty"\nreason = "test"\n'
        config = self.write("throws.toml", text)
        document = run_json("run", config, "--output", self.path("throws"), *with_fixtures(),
                            status=4)
        error = document["diagnostics"][-1]
        self.assertEqual(error["code"], "plugin/apply-failed")
        self.assertIn("faulty", error["message"])
        self.assertIn("first line", error["message"])
        ledger = self.assert_rows("throws", ["baseline", "qat"])
        self.assertEqual(ledger["state"], "failed")
        self.assertEqual(ledger, document)
        self.assertFalse(os.path.exists(self.path("throws/network.safetensors")))

    def test_a_loss_that_jumps_is_said_and_the_run_goes_on(self):
        text = HEAD.replace("one-cycle", "constant").replace("epochs = 2", "epochs = 3\nlearning_rate = 10")
        text = text.replace("[train]", "[train]\nwarmup_epochs = 3\noptimizer = \"adamw\"")
        text += QAT.replace("epochs = 1", "epochs = 0.1\nlearning_rate = 0.001")
        config = self.write("jumps.toml", text)
        command = ("run", config, "--output", self.path("jumps"), "--brief")
        said = run(*command)
        self.assertIn("warning: [baseline] the loss of 'baseline' rose from", said.stdout + said.stderr)
        self.assertIn("warning[train/loss-jumped]", said.stdout + said.stderr)
        resumed = run_json(*command, "--resume")
        self.assertEqual([finding["code"] for finding in resumed["diagnostics"]], ["train/loss-jumped"])
        self.assertEqual(len(resumed["rows"]), 2)

    def test_plugin_that_fails_to_configure_costs_no_training(self):
        config = self.write(
            "configure.toml", SHORT + '[technique.faulty]\nuse = "fixture.throws-in-configure"\n')
        document = run_json("run", config, "--output", self.path("configure"), *with_fixtures(),
                            status=4)
        self.assertEqual(document["rows"], [])
        self.assertEqual(document["diagnostics"][-1]["code"], "plugin/configure-failed")

    def test_interrupt_ends_cleanly_and_resume_continues(self):
        config = self.write("long.toml", HEAD + STUDENT.replace("epochs = 2", "epochs = 500"))
        first_stage = self.path("long/stages/00-baseline.json")
        status, stdout, stderr = support.interrupt_when(
            ["run", config, "--output", self.path("long"), "--json"],
            lambda: os.path.exists(first_stage))
        self.assertEqual(status, 130, stderr)
        document = json.loads(stdout)
        self.assertEqual(document["state"], "interrupted")
        self.assertEqual(document["diagnostics"][-1]["code"], "run/interrupted")
        self.assertIn("ledger.json", stderr)
        self.assertEqual(self.assert_rows("long", ["baseline"]), document)
        again = run_json("run", config, "--output", self.path("long"), "--resume",
                         "--set", "technique.student.epochs=1")
        self.assertEqual([(row["stage"], row["resumed"]) for row in again["rows"]],
                         [("baseline", True), ("student", False)])

    def test_termination_is_treated_the_same(self):
        config = self.write("term.toml", SHORT.replace("[baseline]\nepochs = 1",
                                                       "[baseline]\nepochs = 500"))
        status, _, stderr = support.interrupt_when(
            ["run", config, "--output", self.path("term")],
            lambda: self.has_text("term/topress.log", " epoch "),
            signal.SIGTERM)
        self.assertEqual(status, 130, stderr)
        self.assert_rows("term", [])

    def test_data_that_is_not_there_is_named(self):
        config = self.write("nodata.toml", SHORT.replace('path = "data"', 'path = "nowhere"'))
        document = run_json("run", config, "--output", self.path("nodata"), status=1)
        self.assertEqual(document["diagnostics"][-1]["code"], "data/not-found")
        self.assertEqual(document["rows"], [])

    def test_second_run_replaces_the_first(self):
        config = self.write("twice.toml", SHORT + CHANNEL)
        run("run", config, "--output", self.path("twice"), "--set", "technique.channel.epochs=0.5")
        shorter = self.write("twice.toml", SHORT)
        run("run", shorter, "--output", self.path("twice"))
        self.assert_rows("twice", ["baseline"])
        self.assertEqual(sorted(os.listdir(self.path("twice/stages"))),
                         ["00-baseline.json", "00-baseline.safetensors"])

    def test_checkpoint_of_a_run_can_be_compressed_further(self):
        config = self.write("first.toml", SHORT + "")
        run("run", config, "--output", self.path("first"))
        text = SHORT.replace('architecture = "resnet"\ndepth = 8\nwidth = 8',
                             'checkpoint = "first/network.safetensors"')
        text = text.replace("[baseline]\nepochs = 1\n", "")
        second = self.write("second.toml", text + CHANNEL.replace("epochs = 1", "epochs = 0.5"))
        document = run_json("run", second, "--output", self.path("second"))
        self.assertEqual(document["rows"][0]["accuracy"],
                         self.read_json("first/ledger.json")["rows"][0]["accuracy"])


if __name__ == "__main__":
    support.main()
