# Networks that answer numbers, and picture folders of few or unequal classes, through all four techniques.
import csv
import math
import os
import random
import re
import struct
import zlib

import support
from support import CHANNEL, QAT, STUDENT, run, run_json

SIDE = 16
LABELS = ["baseline", "student", "channel", "qat", "confidence"]

EXITS = """
[technique.confidence]
positions = [0.3, 0.5, 0.75]
epochs = 2
max_drop_pp = 5.0
"""


def head_of(path, rate, epochs):
    """The usual head for a folder of pictures, with cropping and mirroring left to the program."""
    return (support.HEAD.replace('"mnist"', '"image-folder"').replace('"data"', f'"{path}"')
            .replace("crop_padding = 0\nflip = false\n", "").replace("learning_rate = 0.1", f"learning_rate = {rate}")
            .replace("epochs = 2", f"epochs = {epochs}"))


def chunk(name, data):
    body = name + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def write_png(path, rows):
    """Grey bytes, a list of rows."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    lines = b"".join(b"\0" + bytes(row) for row in rows)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0))
                   + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b""))


def square(top, left, light, source):
    rows = [[source.randrange(60) for _ in range(SIDE)] for _ in range(SIDE)]
    for row in range(top, top + 5):
        for column in range(left, left + 5):
            rows[row][column] = light
    return rows


def write_numbers(folder, count, seed):
    """Where a square is, in millimetres, and how bright: two targets."""
    source = random.Random(seed)
    os.makedirs(folder)
    with open(f"{folder}/targets.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "left_mm", "light"])
        for number in range(count):
            top, left, light = source.randrange(12), source.randrange(12), source.randrange(100, 256)
            write_png(f"{folder}/{number:03}.png", square(top, left, light, source))
            table.writerow([f"{number:03}.png", 250 + 2.5 * left, light])


def write_classes(folder, counts, seed):
    """A folder for each class: a square in another place."""
    source = random.Random(seed)
    for label, count in enumerate(counts):
        for number in range(count):
            write_png(f"{folder}/class{label}/{number:03}.png",
                      square(source.randrange(3) + 4 * label, source.randrange(12), 220, source))


class Regression(support.Workplace):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        write_numbers(cls.path("numbers/train"), 400, 1)
        write_numbers(cls.path("numbers/test"), 80, 2)
        cls.head = head_of("numbers", 0.05, 4)
        cls.config = cls.write("numbers.toml", cls.head + EXITS + QAT + CHANNEL + STUDENT)
        cls.done = run("run", cls.config, "--output", cls.path("out"))
        cls.ledger = cls.read_json("out/ledger.json")
        cls.rows = cls.ledger["rows"]

    def test_rows_have_errors_in_place_of_accuracies(self):
        self.assertEqual([row["stage"] for row in self.rows], LABELS)
        self.assertEqual((self.ledger["error_split"], self.ledger["error_measure"]), ("validation", "rmse"))
        for row in self.rows:
            self.assertNotIn("accuracy", row)
            self.assertEqual(set(row["errors"]), {"left_mm", "light"})
            self.assertAlmostEqual(row["error"], sum(row["errors"].values()) / 2)
            self.assertLess(row["r2"], 1)
        self.assertEqual([i for i, row in enumerate(self.rows) if "test_error" in row], [0, 4])
        self.assertEqual([i for i, row in enumerate(self.rows) if "test_r2" in row], [0, 4])

    def test_the_baseline_learns_and_the_chain_keeps_it_small(self):
        # The positions have a deviation of 8.6 mm, brightnesses one of 45.
        self.assertGreater(self.rows[0]["r2"], 0.6)
        self.assertLess(self.rows[0]["errors"]["left_mm"], 6)
        self.assertGreater(self.rows[4]["r2"], 0.3)
        self.assertGreater(self.rows[4]["bitops_cr"], 20)
        self.assertIn("train_r2", self.rows[0]["curves"][0])

    def test_exits_agree_with_the_one_before(self):
        exits = self.rows[4]["exits"]
        self.assertAlmostEqual(sum(each["share"] for each in exits), 1)
        if len(exits) > 1:
            self.assertEqual(exits[0]["share"], 0)
        self.assertAlmostEqual(sum(each["share"] * each["r2"] for each in exits if each["share"] > 0)
                               if exits else self.rows[4]["r2"], self.rows[4]["r2"], places=5)

    def test_heads_start_from_the_least_squares(self):
        answers = []
        for epochs in (0, 2):
            config = self.write("heads.toml", self.head + EXITS.replace("epochs = 2", f"epochs = {epochs}"))
            run("run", config, "--output", self.path(f"heads-{epochs}"))
            with open(self.path(f"heads-{epochs}/topress.log")) as log:
                told = [float(value) for value in re.findall(r"alone R2 (\S+?)[\s)]", log.read())]
            self.assertEqual(len(told), 4, "three heads and the main output")
            answers.append(told)
        self.assertGreater(min(answers[0]), 0.1, "without training: zeros would explain nothing")
        self.assertLess(answers[0][0], answers[0][2])
        for before, after in zip(*answers):
            self.assertGreater(after, before - 0.1, "training did not undo it")

    def test_table_csv_and_report_speak_of_errors(self):
        head = next(line for line in self.done.stdout.splitlines() if line.startswith("stage"))
        self.assertEqual(head.split()[:6], ["stage", "technique", "error", "R2", "test", "error"])
        self.assertIn("error is the mean over the targets", self.done.stdout)
        with open(self.path("out/ledger.csv"), newline="") as file:
            lines = list(csv.DictReader(file))
        self.assertEqual(float(lines[0]["error"]), self.rows[0]["error"])
        self.assertEqual(float(lines[4]["test_r2"]), self.rows[4]["test_r2"])
        self.assertNotIn("accuracy", lines[0])
        self.assert_files("out", "report.html", "network.safetensors")

    def test_eval_and_inspect_of_the_saved_network(self):
        network = self.path("out/network.safetensors")
        where = ("--data-path", self.path("numbers"), "--threads", 1)
        test = run_json("eval", network, *where)
        self.assertEqual((test["error"], test["r2"]), (self.rows[-1]["test_error"], self.rows[-1]["test_r2"]))
        self.assertEqual(set(test["errors"]), {"left_mm", "light"})
        run("eval", network, *where, "--answers", self.path("answers.csv"))
        with open(self.path("answers.csv"), newline="", encoding="utf-8") as file:
            lines = list(csv.DictReader(file))
        for target, error in test["errors"].items():
            squares = [(float(line[target]) - float(line[f"{target} answer"])) ** 2 for line in lines]
            self.assertAlmostEqual((sum(squares) / len(squares)) ** 0.5 / error, 1, places=4)
        validation = run_json("eval", network, *where, "--split", "validation")
        self.assertEqual(validation["error"], self.rows[-1]["error"])
        self.assertIn("R2", run("eval", network, *where).stdout)
        self.assertEqual(run_json("inspect", network)["status"], "ok")
        classes = run_json("eval", network, "--data", "mnist", "--data-path", self.path("data"), status=1)
        self.assertEqual(classes["diagnostics"][0]["code"], "data/mismatch")

    def test_a_worker_process_gives_the_same_network(self):
        short = self.head + STUDENT + EXITS
        apart = short.replace("depth = 8\n", 'depth = 8\nisolation = "process"\n')
        results = []
        for name, text in (("together", short), ("apart", apart)):
            config = self.write(f"{name}.toml", text)
            results.append(run_json("run", config, "--brief", "--output", self.path(name))["rows"])
        self.assertEqual([row["error"] for row in results[0]], [row["error"] for row in results[1]])

    def test_pictures_behind_a_file_change_nothing(self):
        short = self.write("short.toml", self.head.replace("epochs = 4", "epochs = 1"))
        caches = {"XDG_CACHE_HOME": self.path("user-cache")}
        results = []
        for name, limit in (("memory", 4), ("file", 0), ("again", 0)):
            results.append(run_json("run", short, "--brief", "--set", f"data.map_above_gb={limit}", "--output",
                                    self.path(f"mapped-{name}"), **caches)["rows"])
            kept = self.path("user-cache/topress/pictures")
            self.assertEqual(len(os.listdir(kept)) if os.path.isdir(kept) else 0, 0 if limit else 2)  # train, test
        self.assertEqual([rows[0]["error"] for rows in results], [results[0][0]["error"]] * 3)

    def test_a_finished_run_is_resumed(self):
        rows = run_json("run", self.config, "--resume", "--output", self.path("out"))["rows"]
        self.assertTrue(all(row["resumed"] for row in rows))
        self.assertEqual([row["error"] for row in rows], [row["error"] for row in self.rows])

    def test_what_belongs_to_classes_is_refused(self):
        for text, code in ((self.head.replace("[train]", '[train]\nloss = "cross-entropy"'), "train/loss-mismatch"),
                           (self.head.replace("[train]", "[train]\nlabel_smoothing = 0.1"), "train/loss-mismatch")):
            config = self.write("wrong.toml", text)
            found = run_json("run", config, "--output", self.path("wrong"), status=1)
            self.assertEqual(found["diagnostics"][-1]["code"], code)
        entropy = self.head.replace("epochs = 4", "epochs = 0.1") + EXITS + 'criterion = "entropy"\n'
        found = run_json("run", self.write("wrong.toml", entropy), "--output", self.path("wrong"), status=4)
        self.assertIn("'entropy' is about classes", found["diagnostics"][-1]["message"])

    def test_losses_of_numbers_are_refused_for_classes(self):
        text = support.HEAD.replace("[train]", '[train]\nloss = "mae"')
        found = run_json("run", self.write("wrong.toml", text), "--output", self.path("wrong"), status=1)
        self.assertEqual(found["diagnostics"][-1]["code"], "train/loss-mismatch")
        self.assertIn("'mae'", found["diagnostics"][-1]["message"])

    def test_a_bad_row_is_told_with_its_line(self):
        os.makedirs(self.path("broken"))
        for part in ("train", "test"):
            write_numbers(self.path(f"broken/{part}"), 20, 3)
        with open(self.path("broken/train/targets.csv"), "a") as file:
            file.write("nobody.png,1,2\n")
        config = self.write("broken.toml", head_of("broken", 0.05, 1))
        found = run_json("run", config, "--output", self.path("wrong"), status=1)["diagnostics"][-1]
        self.assertEqual(found["code"], "data/bad-table")
        self.assertIn("targets.csv:22", found["file"])

    def test_rotated_pictures(self):
        text = support.HEAD.replace('"mnist"', '"rotated-fashion-mnist"').replace("epochs = 2", "epochs = 3")
        config = self.write("rotated.toml", text)
        rows = run_json("run", config, "--brief", "--output", self.path("rotated"))["rows"]
        self.assertEqual(list(rows[0]["errors"]), ["angle"])
        self.assertTrue(math.isfinite(rows[0]["error"]) and rows[0]["error"] < 40)
        mirrored = self.write("mirrored.toml", text.replace("flip = false", "flip = true"))
        found = run_json("plan", mirrored, status=3)["diagnostics"][0]
        self.assertEqual(found["code"], "config/invalid-value")


class FewClasses(support.Workplace):
    """Three classes, alike in number or not: every stage still works and nothing is lost."""

    def chain(self, name, counts):
        write_classes(self.path(f"{name}/train"), counts, 1)
        write_classes(self.path(f"{name}/test"), [max(2, count // 5) for count in counts], 2)
        exits = EXITS + 'criterion = "agreement"\n'
        config = self.write(f"{name}.toml",
                            head_of(name, 0.1, 4) + exits + QAT + CHANNEL + STUDENT)
        ledger = run_json("run", config, "--output", self.path(f"{name}-out"))
        rows = ledger["rows"]
        self.assertEqual([row["stage"] for row in rows], LABELS)
        self.assertNotIn("error", rows[0])
        exits = rows[4]["exits"]
        if len(exits) > 1:
            self.assertEqual(exits[0]["share"], 0, "nobody leaves at the first exit by agreement")
        return ledger, rows

    def test_three_classes(self):
        ledger, rows = self.chain("three", [100, 100, 100])
        self.assertEqual(ledger["conditions"]["validation_samples"], 30)
        self.assertGreater(rows[0]["accuracy"], 0.8)
        self.assertGreater(rows[4]["accuracy"], 0.6)

    def test_rare_class(self):
        ledger, rows = self.chain("rare", [240, 40, 20])
        self.assertEqual(ledger["conditions"]["validation_samples"], 30)
        # Always answering the frequent class would be right in 8 of 10.
        self.assertGreater(rows[0]["accuracy"], 0.85)


if __name__ == "__main__":
    support.main()
