# Runs that share finished stages: the same bytes as computed ones, each computed once, whatever happens meanwhile.
import hashlib
import json
import os
import signal
import subprocess
import time

import support
from support import CHANNEL, CONFIDENCE, HEAD, QAT, STUDENT, program, run, run_json

SHORT = HEAD.replace("epochs = 2", "epochs = 1").replace("depth = 14", "depth = 8")
SHORT = SHORT + CHANNEL.replace("epochs = 1", "epochs = 0.5").replace("steps = 2", "steps = 1")
MEASURED = ("from_cache", "resumed")
ORDER = '[order]\nforce = [{}]\noverride = true\n'


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def unmarked(row):
    return {key: value for key, value in row.items() if key not in MEASURED}


class Cache(support.Workplace):
    def setUp(self):
        self.cache = self.path(f"cache-{self.id().rsplit('.', 1)[-1]}")
        self.number = 0

    def run_it(self, config, *arguments, status=0, cache=None):
        """A run into a directory of its own; (document, path of the directory)."""
        self.number += 1
        out = f"{self.cache}-out{self.number}"
        document = run_json("run", config, "--output", out, *arguments, status=status,
                            TOPRESS_STAGE_CACHE=cache or self.cache)
        return document, out

    def start(self, config, out):
        return subprocess.Popen([program(), "run", config, "--output", out, "--json"],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=support.environment(TOPRESS_STAGE_CACHE=self.cache))

    def counts(self, document):
        return document["stages_computed"], document["stages_from_cache"]

    def codes(self, document):
        return [finding["code"] for finding in document["diagnostics"]]

    def entries(self):
        return sorted(name for name in os.listdir(self.cache) if name.endswith(".stage"))

    def has_text(self, file, text):
        if not os.path.exists(file):
            return False
        with open(file, encoding="utf-8") as opened:
            return text in opened.read()

    def wait_for(self, is_so, seconds=60):
        deadline = time.monotonic() + seconds
        while not is_so():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)

    def test_cached_run_has_the_bytes_of_a_computed_one(self):
        config = self.write("all.toml", HEAD + STUDENT + CHANNEL + QAT + CONFIDENCE)
        plain, plain_out = self.run_it(config, "--no-cache")
        self.assertFalse(os.path.exists(self.cache))
        cold, cold_out = self.run_it(config)
        warm, warm_out = self.run_it(config)
        self.assertEqual(self.counts(plain), (5, 0))
        self.assertEqual(self.counts(cold), (5, 0))
        self.assertEqual(self.counts(warm), (0, 5))
        self.assertEqual([row["from_cache"] for row in warm["rows"]], [True] * 5)
        for name in ("network.safetensors", *(f"stages/{name}" for name in os.listdir(f"{cold_out}/stages")
                                              if name.endswith(".safetensors"))):
            self.assertEqual(digest(f"{warm_out}/{name}"), digest(f"{plain_out}/{name}"), name)
            self.assertEqual(digest(f"{warm_out}/{name}"), digest(f"{cold_out}/{name}"), name)
        for before, after in zip(cold["rows"], warm["rows"], strict=True):
            self.assertEqual(unmarked(after), unmarked(before))  # measured figures too: they are kept
        self.assertEqual(warm["layers"], cold["layers"])
        ended = self.events(warm_out)[-1]
        self.assertEqual((ended["stages_computed"], ended["stages_from_cache"]), (0, 5))
        again = run("run", config, "--output", f"{self.cache}-text", TOPRESS_STAGE_CACHE=self.cache)
        self.assertIn("0 stages computed, 5 from the cache\n", again.stdout)

    def events(self, out):
        with open(f"{out}/events.jsonl", encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def test_runs_share_their_common_prefix(self):
        orders = (["student", "channel", "qat"], ["student", "qat", "channel"], ["student", "channel"])
        found = []
        for labels in orders:
            parts = {"student": STUDENT, "channel": CHANNEL, "qat": QAT}
            force = ORDER.format(", ".join(f'"{label}"' for label in labels))
            text = HEAD + force + "".join(parts[label] for label in sorted(labels))
            document, _ = self.run_it(self.write("prefix.toml", text))
            found.append(([row["from_cache"] for row in document["rows"]], self.counts(document)))
        self.assertEqual(found, [([False, False, False, False], (4, 0)),
                                 ([True, True, False, False], (2, 2)),
                                 ([True, True, True], (0, 3))])

    def test_runs_share_what_a_teacher_said(self):
        config = self.write("taught.toml", HEAD + STUDENT)
        _, first_out = self.run_it(config)
        listed = run_json("cache", "list", TOPRESS_STAGE_CACHE=self.cache)["entries"]
        self.assertEqual(sorted(entry["kind"] for entry in listed), ["stage", "stage", "teacher"])
        self.assertIn("2 stages, 1 teacher, ", run("cache", "list", TOPRESS_STAGE_CACHE=self.cache).stdout)
        shorter = ("--set", "technique.student.epochs=1")
        second, second_out = self.run_it(config, *shorter)
        _, alone_out = self.run_it(config, *shorter, "--no-cache")
        said = "what the teacher says of every picture is in the stage cache"
        found = [self.has_text(f"{out}/topress.log", said) for out in (first_out, second_out, alone_out)]
        self.assertEqual((found, self.counts(second)), ([False, True, False], (1, 1)))
        self.assertEqual(digest(f"{second_out}/network.safetensors"), digest(f"{alone_out}/network.safetensors"))
        # Another seed has another teacher.
        _, other_out = self.run_it(config, "--set", "seed=8")
        self.assertFalse(self.has_text(f"{other_out}/topress.log", said))

    def test_other_settings_share_nothing(self):
        config = self.write("seeds.toml", SHORT)
        self.run_it(config)
        self.assertEqual(self.counts(self.run_it(config, "--set", "seed=8")[0]), (2, 0))
        self.assertEqual(self.counts(self.run_it(config, "--threads", 2)[0]), (2, 0))
        self.assertEqual(self.counts(self.run_it(config, "--set", "data.train_samples=600")[0]), (2, 0))
        self.assertEqual(self.counts(self.run_it(config, "--set", "data.test_samples=100")[0]), (0, 2))

    def test_runs_at_once_compute_each_stage_once(self):
        config = self.write("twice.toml", HEAD + CHANNEL)
        runs = [self.start(config, f"{self.cache}-at-once{number}") for number in range(3)]
        documents = []
        for running in runs:
            stdout, stderr = running.communicate(timeout=120)
            self.assertEqual(running.returncode, 0, stderr)
            documents.append(json.loads(stdout))
        self.assertEqual(sum(document["stages_computed"] for document in documents), 2)
        self.assertEqual(sum(document["stages_from_cache"] for document in documents), 4)
        networks = {digest(f"{self.cache}-at-once{number}/network.safetensors") for number in range(3)}
        self.assertEqual(len(networks), 1)
        self.assertEqual([name for name in os.listdir(self.cache) if not name.endswith(".stage")], [])

    def holder_and_waiter(self, config):
        """Two runs of the same: one computes the baseline, the other waits for it."""
        holder = self.start(config, f"{self.cache}-holder")
        self.wait_for(lambda: os.path.exists(self.cache) and
                      any(name.endswith(".lock") for name in os.listdir(self.cache)))
        waiter = self.start(config, f"{self.cache}-waiter")
        log = f"{self.cache}-waiter/topress.log"
        said = f"another topress (process {holder.pid}) computes the same stage"
        self.wait_for(lambda: self.has_text(log, said))
        return holder, waiter

    def test_who_waits_takes_over_from_one_that_was_killed(self):
        config = self.write("killed.toml", SHORT.replace("[baseline]\nepochs = 1", "[baseline]\nepochs = 6"))
        holder, waiter = self.holder_and_waiter(config)
        holder.kill()
        holder.communicate()
        stdout, stderr = waiter.communicate(timeout=120)
        self.assertEqual(waiter.returncode, 0, stderr)
        self.assertEqual(self.counts(json.loads(stdout)), (2, 0))
        self.assertEqual(self.counts(self.run_it(config)[0]), (0, 2))

    def test_who_waits_can_be_interrupted(self):
        config = self.write("waits.toml", SHORT.replace("[baseline]\nepochs = 1", "[baseline]\nepochs = 500"))
        holder, waiter = self.holder_and_waiter(config)
        start = time.monotonic()
        waiter.send_signal(signal.SIGINT)
        stdout, stderr = waiter.communicate(timeout=60)
        self.assertEqual(waiter.returncode, 130, stderr)
        self.assertEqual(json.loads(stdout)["diagnostics"][-1]["code"], "run/interrupted")
        self.assertLess(time.monotonic() - start, 10)
        holder.send_signal(signal.SIGTERM)
        holder.communicate(timeout=60)
        self.assertEqual(holder.returncode, 130)
        self.assertEqual(os.listdir(self.cache), [])

    def test_damaged_entry_is_computed_again(self):
        config = self.write("damaged.toml", SHORT)
        cold, cold_out = self.run_it(config)
        for name in self.entries():
            with open(f"{self.cache}/{name}", "r+b") as file:
                file.seek(-50, os.SEEK_END)
                byte = file.read(1)[0]
                file.seek(-50, os.SEEK_END)
                file.write(bytes([byte ^ 1]))
        again, again_out = self.run_it(config)
        self.assertEqual(self.codes(again).count("cache/damaged"), 2)
        self.assertEqual((again["status"], self.counts(again)), ("ok", (2, 0)))
        self.assertEqual(digest(f"{again_out}/network.safetensors"), digest(f"{cold_out}/network.safetensors"))
        third, _ = self.run_it(config)
        self.assertEqual((self.codes(third).count("cache/damaged"), self.counts(third)), (0, (0, 2)))

    def test_cache_that_cannot_be_used_costs_a_warning(self):
        config = self.write("unusable.toml", SHORT)
        file = self.write("no-folder", "x")
        document, _ = self.run_it(config, cache=file)
        self.assertEqual(self.codes(document).count("cache/unusable"), 1)
        self.assertEqual((document["status"], self.counts(document)), ("ok", (2, 0)))
        document, _ = self.run_it(config, cache="off")
        self.assertEqual(self.codes(document).count("cache/unusable"), 0)

    def test_size_is_bounded(self):
        config = self.write("bounded.toml", SHORT)
        self.run_it(config)
        sizes = [os.path.getsize(f"{self.cache}/{name}") for name in self.entries()]
        other = f"{self.cache}-small"
        limit = f"cache.max_gb={1.5 * max(sizes) / 1e9:.9f}"
        document, _ = self.run_it(config, "--set", f'cache.directory="{other}"', "--set", limit)
        self.assertEqual(self.counts(document), (2, 0))
        self.assertEqual(len(os.listdir(other)), 1)
        document, _ = self.run_it(config, "--set", f'cache.directory="{other}"', "--set", "cache.max_gb=0")
        self.assertEqual(self.counts(document), (2, 0))

    def test_commands_about_the_cache(self):
        def command(name):
            return run_json("cache", name, TOPRESS_STAGE_CACHE=self.cache)

        self.assertEqual(command("path")["path"], self.cache)
        self.assertEqual(command("list")["entries"], [])
        self.assertFalse(os.path.exists(self.cache), "looking made the folder")
        self.run_it(self.write("listed.toml", SHORT))
        listed = command("list")
        self.assertEqual([entry["stage"] for entry in listed["entries"]], ["baseline", "channel"])
        self.assertEqual(listed["bytes"], sum(entry["bytes"] for entry in listed["entries"]))
        self.assertIn("pruning.channel", run("cache", "list", TOPRESS_STAGE_CACHE=self.cache).stdout)
        self.assertEqual(command("verify")["damaged"], [])
        os.truncate(f"{self.cache}/{self.entries()[0]}", 40)
        self.assertEqual(len(command("verify")["damaged"]), 1)
        self.assertEqual(command("clear")["removed"], 1)
        self.assertEqual(os.listdir(self.cache), [])
        self.assertEqual(run_json("cache", "path", TOPRESS_STAGE_CACHE="off")["path"], "")
        run("cache", "lst", status=2)


if __name__ == "__main__":
    support.main()
