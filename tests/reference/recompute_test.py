# Answers of saved networks, given again by PyTorch from the same file: sample by sample, with exits and without.
import json
import os
import pathlib
import subprocess
import sys
import unittest

import support
from support import CHANNEL, CONFIDENCE, HEAD, QAT, STUDENT, run, run_json

SCRIPT = pathlib.Path(__file__).parent / "recompute.py"
# The Python with PyTorch. The wheel that the program is linked to cannot be imported without NVIDIA's libraries.
PYTHON = os.environ.get("TOPRESS_TORCH_PYTHON", sys.executable)
# Numbers: exits leave when two answers are close.
TURNED = (HEAD.replace('"mnist"', '"rotated-fashion-mnist"').replace("epochs = 2", "epochs = 3")
          + CONFIDENCE.replace("max_drop_pp = 3.0", "max_drop_pp = 5.0"))
DENSE = HEAD.replace('"resnet"\ndepth = 14\nwidth = 8', '"densenet"\ndepth = 16\nwidth = 6')
MOBILE = HEAD.replace('"resnet"\ndepth = 14\nwidth = 8', '"mobilenetv2"\nwidth = 4')
COMPRESSED = CONFIDENCE + QAT + CHANNEL
NETWORKS = (("resnet", HEAD + COMPRESSED + STUDENT), ("densenet", DENSE + COMPRESSED + STUDENT.replace("8", "10")),
            ("mobilenetv2", MOBILE + COMPRESSED))


def has_torch():
    return subprocess.run([PYTHON, "-c", "import torch"], capture_output=True, check=False).returncode == 0


class Recompute(support.Workplace):
    def again(self, network, *flags):
        """Of the test split: what topress scores, what PyTorch does, and how far apart the answers are."""
        answers = f"{network}.csv"
        own = run_json("eval", network, "--data-path", self.path("data"), "--answers", answers, *flags)
        done = subprocess.run([PYTHON, SCRIPT, network, "--data", self.path("data"), "--answers", answers],
                              capture_output=True, text=True, check=False, env=support.environment())
        self.assertEqual(done.returncode, 0, done.stderr)
        return [own, *map(json.loads, done.stdout.splitlines())]

    def assert_answers_close(self, compared):
        """Apart only where a value lies between two steps of a quantizer, so that the last bit of a float decides."""
        self.assertEqual(compared["compared"], 300)
        self.assertLess(compared["apart"], 15)
        if compared["apart"]:
            self.assertLess(compared["steps from the middle, those apart: at most"], 1e-4)

    def test_every_stage_is_right_as_often(self):
        for name, text in NETWORKS:
            config = self.write(f"{name}.toml", text)
            run("run", config, "--brief", "--output", self.path(name))
            stages = sorted(pathlib.Path(self.path(f"{name}/stages")).glob("*.safetensors"))
            self.assertEqual(len(stages), 1 + text.count("[technique."))
            for stage in stages:
                with self.subTest(network=name, stage=stage.name):
                    own, score, compared = self.again(stage)
                    self.assert_answers_close(compared)
                    self.assertLessEqual(compared["other answer"], compared["apart"])
                    self.assertLessEqual(abs(round(own["accuracy"] * 300) - score["right"]), compared["other answer"])
                    # The script computes quantized networks in double: with topress in double too no last bit decides.
                    own, score, compared = self.again(stage, "--double")
                    self.assertEqual((compared["apart"], compared["other answer"]), (0, 0))
                    self.assertEqual(round(own["accuracy"] * 300), score["right"])

    def test_numbers_are_as_far_off(self):
        config = self.write("turned.toml", TURNED)
        rows = run_json("run", config, "--brief", "--output", self.path("turned"))["rows"]
        self.assertGreater(max(exit_["share"] for exit_ in rows[-1]["exits"]), 0.0)
        own, score, compared = self.again(self.path("turned/network.safetensors"))
        self.assert_answers_close(compared)
        self.assertAlmostEqual(score["r2"], own["r2"], places=5)
        self.assertAlmostEqual(score["error"] / own["error"], 1.0, places=5)


if __name__ == "__main__":
    if has_torch():
        unittest.main()
    print("[SKIP] no PyTorch: TOPRESS_TORCH_PYTHON names a Python that has it")
