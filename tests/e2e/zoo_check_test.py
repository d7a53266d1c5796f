# topress plugin check on the zoo of bad plugins: each fails the check that is about its fault.
import concurrent.futures
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import support

BUILD = pathlib.Path(support.program()).parent.parent
os.environ["ZOO_BUILD"] = str(BUILD)
import zoo_test  # noqa: E402  (its folder is on PYTHONPATH; it reads ZOO_BUILD when imported)

# A refusal code -> the check that is about it.
CHECK_OF_CODE = {
    "plugin/not-elf": "is-elf",
    "plugin/wrong-architecture": "right-machine",
    "plugin/truncated": "not-truncated",
    "plugin/no-note": "one-note-each",
    "plugin/bad-note": "one-note-each",
    "plugin/abi-major": "passes-gates",
    "plugin/abi-minor": "passes-gates",
    "plugin/fingerprint-mismatch": "passes-gates",
    "plugin/bad-metadata": "metadata-parses",
    "plugin/missing-symbol": "exports-entry-only",
    "plugin/bad-entry": "passes-gates",
    "plugin/extra-exports": "exports-entry-only",
    "plugin/unsafe-memory": "passes-gates",
    "plugin/static-runtime": "shares-libstdcxx",
    "plugin/shared-cudart": "no-shared-cudart",
    "plugin/unsafe-library-path": "safe-search-path",
    "plugin/undeclared-namespace": "passes-gates",
    "plugin/cannot-load": "opens",
    "plugin/metadata-mismatch": "entry-matches-notes",
    "plugin/init-failed": "starts",
    "plugin/missing-interface": "starts",
    "plugin/changes-process-state": "starts",
    "plugin/changes-float-mode": "starts",
    "plugin/create-failed": "offers-techniques",
    "plugin/configure-failed": "accepts-defaults",
    "plugin/apply-failed": "applies-plain",
    "run/interrupted": "applies-plain",
    "run/worker-crashed": "applies-plain",
    "run/worker-exited": "applies-plain",
    "run/worker-timeout": "applies-plain",
    "run/worker-memory": "applies-plain",
    "check/global-state": "keeps-process-state",
    "check/undeclared-write": "declared-writes",
    "check/no-effect": "has-an-effect",
    "plugin/probe-crashed": "opens",
    "plugin/probe-exited": "opens",
    "plugin/probe-timeout": "opens",
}
# Where the code alone does not tell.
CHECK_OF_MEMBER = {
    "two_metadata_notes": "one-note-each", "note_of_2_mib": "one-note-each",
    "executable_stack": "no-executable-stack", "text_relocations": "no-text-relocations",
    "needed_by_path": "passes-gates", "flush_to_zero": "no-fast-math",
    "undefined_symbol": "no-undefined-symbols", "other_major_in_entry": "entry-matches-notes",
    "null_init": "entry-matches-notes", "static_changes_folder": "opening-changes-nothing",
    "static_starts_thread": "opening-starts-no-thread", "crashes_in_configure": "accepts-defaults",
    "keeps_tensor": "releases-tensors",
}
# What is not told by `fail`.
STATUS_OF_CODE = {"run/worker-crashed": "crashed", "run/worker-exited": "crashed", "check/no-effect": "warn",
                  "plugin/probe-crashed": "crashed", "plugin/probe-exited": "crashed"}
# Their fault is to stand beside another file that has the same name, technique or namespace: alone each is a good plugin.
# `plugin list` and `why` tell them (tests/abi/zoo); here they must be found good.
BESIDE_OTHERS = {"namespace_second", "takes_technique", "copy_of_good"}
# Not a file that can be read: the command line refuses it before any check.
NO_FILE = {"dangling_link", "link_to_itself"}
# No copy of a library, so nothing to give the program's own build note.
SCENES = {"pipe": ({"is-elf"}, "pipe.so"), "device": ({"is-elf", "safe-permissions"}, "device.so"),
          "name_is_not_utf8": ({"one-note-each"}, b"name_\xff\xfe.so")}
OTHERS = BESIDE_OTHERS | NO_FILE | set(SCENES)
WELL_BEHAVED = {"larger_sizes"}
# Their fault is in what the gates see first, so it must stay.
KEPT = {"plugin/fingerprint-mismatch", "plugin/abi-major", "plugin/abi-minor", "plugin/bad-note",
        "plugin/no-note", "plugin/not-elf", "plugin/wrong-architecture", "plugin/truncated"}


def expected_of(member, code):
    """(check, status) that tells the fault."""
    check = CHECK_OF_MEMBER.get(member) or CHECK_OF_CODE[code]
    return check, STATUS_OF_CODE.get(code, "fail")


def statuses(member, row, *only):
    """Check -> status, and the exit status. The limits are short: what hangs does so for good."""
    with tempfile.TemporaryDirectory(prefix="topress-zoo-check-") as folder:
        path = pathlib.Path(folder) / f"{member}.so"
        zoo_test.take(path.parent, member)
        if row["code"] not in KEPT or row["phase"] != "list" or member == "program":
            zoo_test.rebrand(path, zoo_test.REAL_PLUGIN)
        path.chmod(0o644)
        arguments = [part for check in only for part in ("--only", check)]
        done = subprocess.run([support.program(), "plugin", "check", path, "--json", "--timeout", "3", "--memory",
                               "700", *arguments], capture_output=True, timeout=120,
                              env=support.environment(OMP_WAIT_POLICY="passive"))  # else it starts twice
        document = json.loads(done.stdout)
        return {check["id"]: check["status"] for check in document["checks"]}, done.returncode


class Zoo(unittest.TestCase):
    rows = json.loads((pathlib.Path(zoo_test.HERE) / "expected.json").read_text())["members"]

    def test_every_member_fails_the_check_about_its_fault(self):
        members = [member for member in self.rows if member not in OTHERS | WELL_BEHAVED]
        self.assertGreaterEqual(len(members), 90)

        def ask(member):
            row = self.rows[member]
            return statuses(member, row, expected_of(member, row["code"])[0])
        with concurrent.futures.ThreadPoolExecutor(2) as pool:  # nearly all the time is starting the program
            answers = dict(zip(members, pool.map(ask, members)))
        for member, (found, exit_status) in answers.items():
            with self.subTest(member):
                check, status = expected_of(member, self.rows[member]["code"])
                self.assertEqual(found, {check: status})
                self.assertEqual(exit_status, 0 if status == "warn" else 4)

    def make_scene(self, member):
        folder = tempfile.TemporaryDirectory(prefix="topress-zoo-check-")
        self.addCleanup(folder.cleanup)
        zoo_test.SCENES[member](pathlib.Path(folder.name))
        return folder.name

    def check_file(self, path, *arguments):
        done = subprocess.run([support.program(), "plugin", "check", path, "--json", *arguments], capture_output=True,
                              timeout=120, env=support.environment(OMP_WAIT_POLICY="passive"))
        return json.loads(done.stdout), done.returncode

    def test_what_is_no_library_file_fails_the_check_about_it(self):
        for member, (checks, name) in SCENES.items():
            with self.subTest(member):
                path = os.path.join(os.fsencode(self.make_scene(member)), os.fsencode(name))
                document, exit_status = self.check_file(path)
                found = {each["id"]: each["status"] for each in document["checks"]}
                self.assertEqual(exit_status, 4)
                self.assertEqual(sorted(each for each, status in found.items() if status in ("fail", "crashed")),
                                 sorted(checks | {"passes-gates"}))

    def test_what_leads_nowhere_is_refused_by_the_command_line(self):
        for member in NO_FILE:
            with self.subTest(member):
                document, exit_status = self.check_file(os.path.join(self.make_scene(member), f"{member}.so"))
                self.assertEqual(exit_status, 2)
                self.assertEqual(document["diagnostics"][0]["code"], "usage/bad-arguments")

    def test_who_clashes_with_another_file_is_good_alone(self):
        for member in BESIDE_OTHERS:
            file = "good" if member == "copy_of_good" else member  # bit by bit the same
            with self.subTest(member):
                found, exit_status = statuses(file, self.rows[member], "passes-gates", "starts", "complete-table")
                self.assertEqual(set(found.values()), {"pass"})
                self.assertEqual(exit_status, 0)

    def test_what_cannot_be_opened_is_told_once(self):
        found, _ = statuses("static_crashes", self.rows["static_crashes"])
        self.assertEqual(sorted(check for check, status in found.items() if status in ("fail", "crashed")),
                         ["opens"])
        self.assertEqual(found["applies-plain"], "skip")

    def test_the_fault_of_a_stage_is_no_fault_of_the_file(self):
        found, _ = statuses("keeps_tensor", self.rows["keeps_tensor"])
        self.assertEqual([check for check, status in found.items() if status not in ("pass", "skip", "warn")],
                         ["releases-tensors"])


if __name__ == "__main__":
    support.main()
