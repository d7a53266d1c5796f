# Figures of saved networks, counted again by a script that shares no code with the program.
import glob
import os
import unittest

import recount
import support
from support import CHANNEL, CONFIDENCE, HEAD, QAT, STUDENT, run, run_json

TOTALS = ("macs", "bitops", "expected_macs", "expected_bitops", "parameters", "stored_bytes")
# Every depth that the documentation names, at a small width; one also in the ImageNet form.
NETWORKS = (("resnet", 8, 4), ("resnet", 18, 8), ("resnet", 20, 16), ("resnet", 32, 4), ("resnet", 34, 8), ("resnet", 44, 4),
            ("resnet", 50, 4), ("resnet", 56, 4), ("resnet", 101, 2), ("resnet", 110, 2), ("resnet", 152, 2),
            ("vgg", 11, 8), ("vgg", 13, 4), ("vgg", 16, 4), ("vgg", 19, 8), ("mobilenetv2", 53, 8),
            ("densenet", 22, 4), ("densenet", 40, 4), ("densenet", 100, 2),
            ("resnet", 8, 8, "imagenet"))
DENSE = HEAD.replace('"resnet"\ndepth = 14\nwidth = 8', '"densenet"\ndepth = 16\nwidth = 6')


class Recount(support.Workplace):
    def assert_same_figures(self, network):
        program = run_json("cost", network)
        counted = recount.recount(network)
        for total in TOTALS:
            with self.subTest(network=os.path.basename(network), total=total):
                if total.startswith("expected"):  # sums of fractions: equal up to the order of adding
                    self.assertAlmostEqual(counted[total] / program[total], 1.0, places=12)
                else:
                    self.assertEqual(counted[total], program[total])

    def test_every_stage_of_a_compressed_network(self):
        for name, head, student in (("resnet", HEAD, STUDENT), ("densenet", DENSE, STUDENT.replace("8", "10"))):
            config = self.write(f"{name}.toml", head + CONFIDENCE + QAT + CHANNEL + student)
            run("run", config, "--brief", "--output", self.path(f"{name}-out"))
            stages = sorted(glob.glob(self.path(f"{name}-out/stages/*.safetensors")))
            self.assertEqual(len(stages), 5)
            for stage in stages:
                self.assert_same_figures(stage)

    def test_every_network_of_the_zoo(self):
        for family, depth, width, *stem in NETWORKS:
            name = "-".join([family, str(depth), *stem])
            text = HEAD.replace('"resnet"', f'"{family}"').replace("depth = 14", f"depth = {depth}")
            stem_line = f'\nstem = "{stem[0]}"' if stem else ""
            text = text.replace("width = 8", f"width = {width}{stem_line}").replace("epochs = 2", "epochs = 0")
            config = self.write(f"{name}.toml", text + "[technique.qat]\nfirst_last = \"8-bit\"\nepochs = 0\n")
            run("run", config, "--brief", "--output", self.path(name))
            for stage in sorted(glob.glob(self.path(f"{name}/stages/*.safetensors"))):
                self.assert_same_figures(stage)


if __name__ == "__main__":
    unittest.main()
