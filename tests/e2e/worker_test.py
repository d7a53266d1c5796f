# Stages in processes of their own: same results, and whatever happens there stays there.
import os

import support
from support import CHANNEL, HEAD, QAT, run, run_json

SHORT = HEAD.replace("epochs = 2", "epochs = 0").replace("depth = 14", "depth = 8")
FIXTURES = [part for folder in os.environ["TOPRESS_FIXTURE_PLUGINS"].split(os.pathsep)
            for part in ("--plugin-path", folder)]


def misbehaves(what, *keys, technique="fixture.misbehaves"):
    return "\n".join([f'[technique.faulty]\nuse = "{technique}"\nwhat = "{what}"', *keys, ""])


def first(*labels):
    return "".join(f'[[order.edge]]\nbefore = "{before}"\nafter = "{after}"\nreason = "test"\n'
                   for before, after in zip(labels, labels[1:]))


class Stages(support.Workplace):
    def run_text(self, name, text, *arguments, status=0):
        return run_json("run", self.write(f"{name}.toml", text), "--output", self.path(name),
                        *FIXTURES, *arguments, status=status)

    def read_bytes(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def fails_with(self, name, code, text, status=1):
        """The stage fails with that code; the row before it and its checkpoint stay."""
        document = self.run_text(name, text, status=status)
        errors = [found for found in document["diagnostics"] if found["severity"] == "error"]
        self.assertEqual([found["code"] for found in errors][:1], [code], document["diagnostics"])
        self.assertEqual([row["stage"] for row in document["rows"]], ["baseline"])
        self.assertEqual(document["state"], "failed")
        self.assert_files(name, "ledger.json", "stages/00-baseline.safetensors", "report.html")
        self.assertFalse(os.path.exists(self.path(f"{name}/stages/01-faulty/worker")))
        return errors[0]

    def notes_of(self, error):
        return "\n".join(note["message"] for note in error.get("notes", []))


class Workers(Stages):
    # ---- the same results ----

    def test_results_are_the_same_bytes_as_in_process(self):
        text = SHORT + misbehaves("noise") + CHANNEL.replace("epochs = 1", "epochs = 0.2") + \
            QAT.replace("epochs = 1", "epochs = 0.2") + first("channel", "faulty", "qat")
        for mode in ("process", "in-process"):
            overrides = [part for label in ("faulty", "channel", "qat")
                         for part in ("--set", f"technique.{label}.isolation={mode}")]
            document = self.run_text(mode, text, *overrides)
            self.assertEqual([row["stage"] for row in document["rows"]],
                             ["baseline", "channel", "faulty", "qat"])
            plan = self.read_json(f"{mode}/plan.json")
            self.assertEqual({stage["isolation"] for stage in plan["stages"]}, {mode})
        for file in ("network", "stages/01-channel", "stages/02-faulty", "stages/03-qat"):
            self.assertEqual(self.read_bytes(f"process/{file}.safetensors"),
                             self.read_bytes(f"in-process/{file}.safetensors"), file)
        rows = [self.read_json(f"{mode}/ledger.json")["rows"] for mode in ("process", "in-process")]
        for isolated, inside in zip(*rows):
            for key in ("accuracy", "macs", "bitops", "metrics", "stored_bytes"):
                self.assertEqual(isolated[key], inside[key], key)
            self.assertEqual([point["loss"] for point in isolated["curves"]],
                             [point["loss"] for point in inside["curves"]])

    def test_log_progress_figures_and_artefacts_arrive(self):
        done = run("run", self.write("told.toml", SHORT + misbehaves("progress")), "--output",
                   self.path("told"), *FIXTURES)
        self.assertIn("[faulty] careful", done.stderr)
        self.assertNotIn("printed on standard output", done.stdout)
        ledger = self.read_json("told/ledger.json")
        self.assertEqual(ledger["rows"][1]["metrics"], {"answer": 42})
        self.assertEqual(self.read_bytes("told/stages/01-faulty/note.txt"), b"kept")
        log = self.read_bytes("told/topress.log").decode()
        self.assertIn("[faulty] stderr: printed on standard output", log)
        self.assertIn("[faulty] its process held up to ", log)
        self.assertEqual(os.listdir(self.path("told/stages/01-faulty")), ["note.txt"])

    def test_who_decides_about_isolation(self):
        def isolation_of(text, *arguments):
            document = run_json("plan", self.write("plan.toml", text), *FIXTURES, *arguments)
            return {stage["label"]: stage["isolation"] for stage in document["stages"]}
        text = SHORT + misbehaves("scale") + CHANNEL
        self.assertEqual(isolation_of(text), {"faulty": "process", "channel": "in-process"})
        self.assertEqual(isolation_of(text, "--set", "technique.faulty.isolation=in-process",
                                      "--set", "technique.channel.timeout_s=60"),
                         {"faulty": "in-process", "channel": "process"})
        run_json("plan", self.write("limit.toml", SHORT + misbehaves(
            "scale", 'isolation = "in-process"', "timeout_s = 1")), *FIXTURES, status=3)

    def test_resolved_configuration_keeps_isolation(self):
        text = SHORT + misbehaves("scale", "timeout_s = 60.0", "memory_limit_mb = 4000")
        self.run_text("kept", text)
        resolved = self.read_bytes("kept/config.toml").decode()
        for line in ('isolation = "process"', "timeout_s = 60", "memory_limit_mb = 4000"):
            self.assertIn(line, resolved)

    # ---- failures that would have taken the run down ----

    def test_segmentation_fault_names_signal_and_last_lines(self):
        error = self.fails_with("segfault", "run/worker-crashed", SHORT + misbehaves("segfault"))
        self.assertIn("SIGSEGV", error["message"])
        self.assertIn("fixture.misbehaves", error["message"])
        self.assertIn("--resume", error["hint"])
        self.assertIn("about to crash", self.notes_of(error))
        self.assertIn("last words", self.notes_of(error))

    def test_run_continues_after_a_crash(self):
        text = SHORT + CHANNEL.replace("epochs = 1", "epochs = 0.2") + misbehaves("segfault") + \
            first("channel", "faulty")
        document = self.run_text("resumed", text, status=1)
        self.assertEqual([row["stage"] for row in document["rows"]], ["baseline", "channel"])
        again = self.run_text("resumed", text, "--resume", "--set", "technique.faulty.what=scale")
        self.assertEqual([(row["stage"], row["resumed"]) for row in again["rows"]],
                         [("baseline", True), ("channel", True), ("faulty", False)])

    def test_abort(self):
        error = self.fails_with("abort", "run/worker-crashed", SHORT + misbehaves("abort"))
        self.assertIn("SIGABRT", error["message"])

    def test_exit(self):
        error = self.fails_with("exit", "run/worker-exited", SHORT + misbehaves("exit"))
        self.assertIn("status 3", error["message"])
        error = self.fails_with("exit-well", "run/worker-exited", SHORT + misbehaves("exit-well"))
        self.assertIn("status 0", error["message"])

    def test_endless_loop_is_stopped_by_the_time_limit(self):
        error = self.fails_with("loop", "run/worker-timeout",
                                SHORT + misbehaves("loop", "timeout_s = 4.0"))
        self.assertIn("4 s", error["message"])
        self.assertIn("timeout_s", error["hint"])

    def test_too_much_memory_is_stopped_by_the_memory_limit(self):
        error = self.fails_with("memory", "run/worker-memory",
                                SHORT + misbehaves("memory", "memory_limit_mb = 1000"))
        self.assertIn("1000 MiB", error["message"])

    def test_cancellation_reaches_the_process(self):
        config = self.write("wait.toml", SHORT + misbehaves("wait"))
        log = self.path("wait/topress.log")

        def is_waiting():
            return os.path.exists(log) and b"[faulty] waits" in self.read_bytes("wait/topress.log")
        status, _, stderr = support.interrupt_when(
            ["run", config, "--output", self.path("wait"), *FIXTURES], is_waiting)
        self.assertEqual(status, 130, stderr)
        self.assertEqual(self.read_json("wait/ledger.json")["state"], "interrupted")
        self.assertIn("run/interrupted", stderr)

    def test_forged_result_is_refused(self):
        self.fails_with("forge", "run/worker-bad-result", SHORT + misbehaves("forge"))

    def test_ordinary_failures_read_as_in_process(self):
        for what in ("throw", "throw-int"):
            errors = []
            for mode in ("process", "in-process"):
                text = SHORT + misbehaves(what, f'isolation = "{mode}"')
                error = self.fails_with(f"{what}-{mode}", "plugin/apply-failed", text, status=4)
                errors.append((error["message"], error["hint"]))
            self.assertEqual(*errors)

    def test_crash_while_configuring_costs_no_training(self):
        document = self.run_text("configure", SHORT + misbehaves("crash-in-configure"), status=1)
        self.assertEqual(document["diagnostics"][-1]["code"], "run/worker-crashed")
        self.assertEqual(document["rows"], [])
        self.assertFalse(os.path.exists(self.path("configure/stages/01-faulty")))


class PostChecks(Stages):
    """Every broken promise has its code, in both modes, and the stage is rolled back."""

    def both_modes(self, what, code, technique="fixture.misbehaves"):
        for mode in ("process", "in-process"):
            text = SHORT + misbehaves(what, f'isolation = "{mode}"', technique=technique)
            self.fails_with(f"{what}-{mode}", code, text)

    def test_undeclared_write(self):
        self.both_modes("scale", "check/undeclared-write", "fixture.declares-little")

    def test_undeclared_write_is_not_excused_by_what_is_chosen_again_after_it(self):
        exits = '[technique.confidence]\nepochs = 0.2\nmax_drop_pp = 50.0\n'
        text = SHORT + exits + misbehaves("threshold", 'isolation = "in-process"') + \
            first("confidence", "faulty")
        document = self.run_text("threshold", text, status=1)
        found = [entry["message"] for entry in document["diagnostics"]
                 if entry["code"] == "check/undeclared-write"]
        self.assertTrue(any("'exits'" in message for message in found), document["diagnostics"])
        self.assertEqual([row["stage"] for row in document["rows"]], ["baseline", "confidence"])

    def test_values_that_are_not_finite(self):
        self.both_modes("nan", "check/not-finite")

    def test_contract(self):
        self.both_modes("classes", "check/contract-changed")

    def test_network_that_does_not_hold_together(self):
        self.both_modes("shape", "check/broken-network")

    def test_success_without_any_change(self):
        self.both_modes("nothing", "check/no-effect")

    def test_nothing_to_do_can_be_said(self):
        document = self.run_text("idle", SHORT + misbehaves("nothing-to-do"))
        self.assertEqual([(found["code"], found["severity"]) for found in document["diagnostics"]
                          if found["code"].startswith("check/")], [("check/no-effect", "info")])
        self.run_text("invisible", SHORT + misbehaves("nothing",
                                                      technique="fixture.declares-little"))

    def test_leaked_global_state(self):
        for what in ("double-by-default", "threads", "gradients", "flush-to-zero", "deterministic",
                     "folder", "locale"):
            with self.subTest(what):
                text = SHORT + misbehaves(what, 'isolation = "in-process"')
                self.fails_with(f"leak-{what}", "check/global-state", text)
        self.fails_with("leak-isolated", "check/global-state", SHORT + misbehaves("folder"))

    def test_undone_work(self):
        small = CHANNEL.replace("epochs = 1", "epochs = 0")
        exits = '[technique.confidence]\nepochs = 0.2\nmax_drop_pp = 50.0\n'
        bits = QAT.replace("epochs = 1", "epochs = 0.2")
        for label, text, words in (("channel", small, "grew"), ("qat", bits, "raised"),
                                   ("confidence", exits, "removed the exit")):
            with self.subTest(label):
                document = self.run_text(f"undo-{label}", SHORT + text + misbehaves("undo") +
                                         first(label, "faulty"), status=1)
                found = [entry["message"] for entry in document["diagnostics"]
                         if entry["code"] == "check/undone"]
                self.assertTrue(any(words in message for message in found), document["diagnostics"])
                self.assertEqual([row["stage"] for row in document["rows"]], ["baseline", label])


if __name__ == "__main__":
    support.main()
