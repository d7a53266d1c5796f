# topress plugin check: good plugins pass without a warning, bad ones fail the check that is about them.
import os
import unittest
import xml.etree.ElementTree

import support
from support import run, run_json

PLUGINS = os.path.join(os.path.dirname(os.path.dirname(support.program())), "lib/topress/plugins")
FIXTURES = os.path.join(os.path.dirname(os.path.dirname(support.program())), "fixtures")


def fixture(name):
    return os.path.join(FIXTURES, name)


def statuses(document):
    return {check["id"]: check["status"] for check in document["checks"]}


def only(*ids):
    return [part for check in ids for part in ("--only", check)]


class BundledPlugins(unittest.TestCase):
    def check(self, name):
        document = run_json("plugin", "check", os.path.join(PLUGINS, f"topress_{name}.so"))
        self.assertEqual(document["status"], "ok")
        bad = [check for check in document["checks"] if check["status"] not in ("pass", "skip")]
        self.assertEqual(bad, [])
        self.assertGreaterEqual(document["summary"]["pass"], 40)
        self.assertLessEqual(document["summary"]["skip"], 3)

    def test_distillation(self):
        self.check("distillation")

    def test_pruning(self):
        self.check("pruning")

    def test_quantization(self):
        self.check("quantization")

    def test_early_exit(self):
        self.check("early_exit")


class BadPlugins(support.Workplace):
    def test_refused_files_fail_their_check_and_nothing_of_them_is_run(self):
        for name, check in (("not_elf", "is-elf"), ("truncated", "not-truncated"),
                            ("no_note", "one-note-each"), ("wrong_major", "passes-gates"),
                            ("wrong_fingerprint", "passes-gates"), ("bad_metadata", "metadata-parses")):
            document = run_json("plugin", "check", fixture(f"plugins/{name}.so"), status=4)
            found = statuses(document)
            self.assertEqual(found[check], "fail", name)
            self.assertEqual(found["passes-gates"], "fail", name)
            self.assertEqual(found["starts"], "skip", name)
            self.assertEqual(document["diagnostics"][0]["code"], "plugin/check-failed")

    def test_a_plugin_that_does_not_start_is_told_once(self):
        document = run_json("plugin", "check", fixture("check_plugins/e2e_crashes.so"), status=4,
                            CRASHES_FAILS_TO_START="1")
        found = statuses(document)
        self.assertEqual(found["starts"], "fail")
        self.assertIn("told not to start", str(document["checks"]))
        self.assertEqual(found["applies-plain"], "skip")

    def test_each_broken_promise_fails_its_check(self):
        file = fixture("check_plugins/e2e_breaks_promises.so")
        expected = {"declared-writes": "fail", "stays-finite": "fail", "same-seed-same-bits": "fail",
                    "declared-needs": "fail", "keeps-process-state": "fail", "finite-metrics": "fail",
                    "cancels": "fail", "independent-instances": "fail", "applies-plain": "pass"}
        document = run_json("plugin", "check", file, *only(*expected), status=4)
        self.assertEqual(statuses(document), expected)
        named = str(document["checks"])
        for technique in ("declared-writes", "stays-finite", "same-seed", "declared-needs",
                          "process-state", "finite-metrics", "cancels", "instances"):
            self.assertIn(f"breaks.{technique}", named)

    def test_a_crash_is_told_with_its_signal_and_the_program_lives(self):
        file = fixture("check_plugins/e2e_crashes.so")
        document = run_json("plugin", "check", file, *only("applies-depthwise", "starts"), status=4)
        self.assertEqual(statuses(document), {"starts": "pass", "applies-depthwise": "crashed"})
        self.assertIn("SIGSEGV", document["checks"][1]["message"])

    def test_success_without_an_effect_is_a_warning(self):
        file = fixture("check_plugins/e2e_breaks_promises.so")
        document = run_json("plugin", "check", file, *only("has-an-effect"))
        self.assertEqual(statuses(document), {"has-an-effect": "warn"})

    def test_what_throws_is_a_failure_with_its_message(self):
        file = fixture("sdk_plugins/fixture_throws.so")
        document = run_json("plugin", "check", file, "--only", "accepts-defaults", "--only",
                            "applies-plain", status=4)
        self.assertEqual(set(statuses(document).values()), {"fail"})

    def test_the_printed_command_repeats_a_failure(self):
        document = run_json("plugin", "check", fixture("plugins/init_fails.so"), status=4)
        failed = [check for check in document["checks"] if check["status"] == "fail"]
        command = failed[0]["reproduce"].split()
        self.assertEqual(command[:3], ["topress", "plugin", "check"])
        again = run(*command[1:], status=4)
        self.assertIn(failed[0]["message"], again.stdout)


class CommandLine(support.Workplace):
    good = os.path.join(PLUGINS, "topress_pruning.so")

    def test_list_has_every_check_with_a_sentence(self):
        checks = run_json("plugin", "check", "--list")["checks"]
        self.assertGreaterEqual(len(checks), 40)
        text = run("plugin", "check", "--list").stdout
        for check in checks:
            self.assertIn(check["id"], text)

    def test_unknown_check_is_answered_with_the_nearest(self):
        done = run("plugin", "check", self.good, "--only", "is-efl", status=2)
        self.assertIn("'is-elf'", done.stderr)
        run("plugin", "check", status=2)
        run("plugin", "check", self.path("absent.so"), status=2)

    def test_junit_file_has_the_results(self):
        file = self.path("results.xml")
        run("plugin", "check", self.good, "--only", "is-elf", "--only", "starts", "--junit", file)
        cases = xml.etree.ElementTree.parse(file).getroot().iter("testcase")
        self.assertEqual({case.get("name") for case in cases}, {"is-elf", "starts"})

    def test_a_junit_file_that_cannot_be_written_is_said_before_the_checks(self):
        nonsense = self.write("nonsense.so", "checks of this would fail")
        document = run_json("plugin", "check", nonsense, "--junit", self.path("absent/results.xml"), status=1)
        self.assertEqual([found["code"] for found in document["diagnostics"]], ["file/cannot-write"])

    def test_in_process_gives_the_same_answer(self):
        for flags in ((), ("--in-process",)):
            document = run_json("plugin", "check", self.good, "--only", "same-seed-same-bits",
                                "--seed", "5", *flags)
            self.assertEqual(statuses(document), {"same-seed-same-bits": "pass"})
            self.assertEqual(document["seed"], 5)

    def test_a_check_that_does_not_answer_fails_after_the_timeout(self):
        slow = fixture("check_plugins/e2e_breaks_promises.so")  # one technique sleeps for 2.5 s
        document = run_json("plugin", "check", slow, "--only", "cancels", "--timeout", "0.5", status=4)
        self.assertEqual(statuses(document), {"cancels": "fail"})
        self.assertIn("no answer", document["checks"][0]["message"])


if __name__ == "__main__":
    support.main()
