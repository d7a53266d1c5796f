# Output directories that fill up or cannot be written: a clear error, and what was good before stays good.
import json
import os
import shutil
import subprocess
import unittest

import support
from support import CHANNEL, HEAD, QAT, STUDENT, program, run_json

CONFIG = HEAD.replace("epochs = 2", "epochs = 1") + STUDENT.replace("epochs = 2", "epochs = 1") + CHANNEL + QAT
LABELS = ["baseline", "student", "channel", "qat"]


def can_mount():
    """A mount namespace of one's own; root of one's own where needed."""
    for own in (["unshare", "-m"], ["unshare", "-rm"]):
        try:
            if subprocess.run([*own, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode == 0:
                return own
        except FileNotFoundError:
            pass
    return None


class Disk(support.Workplace):
    @classmethod
    def setUpClass(cls):
        cls.own = can_mount()
        if cls.own is None:
            print("[SKIP] no mount namespace here: a full and a read-only disk cannot be made")
            raise unittest.SkipTest("no mount namespace")
        super().setUpClass()
        cls.config = cls.write("disk.toml", CONFIG)
        cls.plain = run_json("run", cls.config, "--output", cls.path("plain"))

    def shell(self, script, **variables):
        """Runs a script with mounts of its own; standard output."""
        done = subprocess.run([*self.own, "bash", "-ec", script], capture_output=True, text=True, timeout=240,
                              env=support.environment(RUN=program(), CONFIG=self.config, **variables))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def assert_whole(self, folder, rows):
        """Every document of a directory can be read; ledger and checkpoints have the first rows."""
        for place, _, names in os.walk(folder):
            self.assertEqual([name for name in names if name.endswith(".tmp")], [])
            for name in names:
                if name.endswith(".json"):
                    with open(os.path.join(place, name), encoding="utf-8") as file:
                        json.load(file)
        with open(f"{folder}/ledger.json", encoding="utf-8") as file:
            ledger = json.load(file)
        self.assertEqual([row["stage"] for row in ledger["rows"]], LABELS[:rows])

    def test_full_disk_fails_the_stage_and_resume_goes_on(self):
        files = [os.path.join(place, name) for place, _, names in os.walk(self.path("plain")) for name in names]
        total = sum(os.path.getsize(file) for file in files)
        out, kept = self.path("full"), self.path("kept")
        os.makedirs(out)
        # Half of what is needed; then room enough, and the same command with --resume.
        self.shell('mount -t tmpfs -o size=$SIZE none "$OUT"\n'
                   'status=0; "$RUN" run "$CONFIG" --output "$OUT" --json > "$KEPT.json" 2> "$KEPT.err" || status=$?\n'
                   'echo $status > "$KEPT.status"; cp -a "$OUT" "$KEPT"\n'
                   'mount -o remount,size=1G "$OUT"\n'
                   '"$RUN" run "$CONFIG" --output "$OUT" --resume --json > "$KEPT.again.json"\n'
                   'cp -a "$OUT" "$KEPT.again"', SIZE=str(total // 2), OUT=out, KEPT=kept)
        with open(f"{kept}.status", encoding="utf-8") as file:
            self.assertEqual(file.read().strip(), "1")
        document = self.read_json("kept.json")
        errors = [finding for finding in document["diagnostics"] if finding["severity"] == "error"]
        self.assertEqual((document["state"], errors[0]["code"]), ("failed", "file/cannot-write"))
        self.assertIn("No space left on device", errors[0]["message"])
        rows = len(document["rows"])
        self.assertTrue(0 < rows < len(LABELS), rows)
        self.assert_whole(kept, rows)
        again = self.read_json("kept.again.json")
        self.assertEqual(again["state"], "finished")
        self.assertTrue(all(row["resumed"] for row in again["rows"][:rows]))
        self.assert_same_network(f"{kept}.again")

    def assert_same_network(self, folder):
        with open(f"{folder}/network.safetensors", "rb") as a, open(self.path("plain/network.safetensors"), "rb") as b:
            self.assertEqual(a.read(), b.read())

    def test_read_only_directory_is_refused_and_untouched(self):
        out = self.path("read-only")
        shutil.copytree(self.path("plain"), out)
        self.shell('mount --bind "$OUT" "$OUT"; mount -o remount,bind,ro "$OUT"\n'
                   'for more in "" --resume; do\n'
                   '  status=0; "$RUN" run "$CONFIG" --output "$OUT" $more --json > "$OUT$more.doc" || status=$?\n'
                   '  [ $status = 1 ]\n'
                   'done\n'
                   'status=0; "$RUN" run "$CONFIG" --output "$OUT/below" --json > "$OUT.below.doc" || status=$?\n'
                   '[ $status = 1 ]', OUT=out)
        for name in ("read-only.doc", "read-only--resume.doc", "read-only.below.doc"):
            document = self.read_json(name)
            self.assertEqual([finding["code"] for finding in document["diagnostics"]], ["file/cannot-write"], name)
            self.assertTrue(document["diagnostics"][0]["hint"])
        self.assert_whole(out, len(LABELS))
        self.assert_same_network(out)

    def test_full_disk_of_the_cache_costs_a_warning(self):
        cache = self.path("cache")
        os.makedirs(cache)
        self.shell('mount -t tmpfs -o size=16k,mode=700 none "$CACHE"\n'
                   'TOPRESS_STAGE_CACHE="$CACHE" "$RUN" run "$CONFIG" --output "$OUT" --json > "$OUT.doc"\n'
                   '[ -z "$(ls -A "$CACHE")" ]', CACHE=cache, OUT=self.path("cached"))
        document = self.read_json("cached.doc")
        codes = [finding["code"] for finding in document["diagnostics"]]
        self.assertEqual((document["state"], codes.count("cache/unusable")), ("finished", 1))
        self.assert_same_network(self.path("cached"))


if __name__ == "__main__":
    support.main()
