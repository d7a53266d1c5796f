# The configurations that are meant for a GPU go through on a CPU too: in miniature, on pictures of the same format.
import glob
import os
import pathlib
import random
import tomllib
import unittest

import support
from support import run_json

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "configs/reproduce"
PLANE = 32 * 32


def write_cifar(folder, name, label_bytes, files, classes):
    """Records of labels and three planes; a class is a colour, with noise."""
    source = random.Random(1)
    os.makedirs(f"{folder}/{name}")
    for file, count in files.items():
        data = bytearray()
        for index in range(count):
            label = index % classes
            data += bytes([0] * (label_bytes - 1) + [label])
            for plane in range(3):
                shade = 40 + 150 * (label >> plane & 1) + 3 * (label >> 3)
                data += bytes(min(255, shade + noise % 40) for noise in source.randbytes(PLANE))
        with open(f"{folder}/{name}/{file}", "wb") as written:
            written.write(data)


class Reproduce(support.Workplace):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        batches = {**{f"data_batch_{number}.bin": 40 for number in range(1, 6)}, "test_batch.bin": 40}
        write_cifar(cls.folder, "cifar10", 1, batches, 10)
        write_cifar(cls.folder, "cifar100", 2, {"train.bin": 200, "test.bin": 100}, 100)

    def test_every_configuration_for_a_gpu_goes_through_in_miniature(self):
        files = sorted(glob.glob(str(FOLDER / "*-cifar10.toml")) + glob.glob(str(FOLDER / "*-cifar100.toml")))
        self.assertEqual(len(files), 6)
        # Pictures of the same size, in the format that the test writes.
        files.append(str(FOLDER / "resnet34-cifar10-jpeg.toml"))
        for file in files:
            with self.subTest(configuration=os.path.basename(file)):
                with open(file, "rb") as text:
                    config = tomllib.load(text)
                self.assertEqual(config["device"], "cuda")
                changes = {"device": "cpu", "threads": 1, "train.batch_size": 32, "baseline.epochs": 0.4,
                           "technique.channel.steps": 2, "technique.channel.minimum_channels": 1,
                           "technique.channel.round_to": 1,
                           **{f"technique.{label}.epochs": 0.4 for label in config["technique"]}}
                if config["data"]["dataset"] == "image-folder":
                    changes.update({"data.dataset": "cifar10", "data.path": self.path("cifar10")})
                if "width" not in config["technique"]["student"]:  # else the student would be the larger one
                    changes["model.width"] = 8
                settings = [part for key, value in changes.items() for part in ("--set", f"{key}={value}")]
                output = self.path(os.path.basename(file) + "-out")
                rows = run_json("run", file, "--brief", "--output", output, *settings, TOPRESS_DATA_DIR=self.folder)["rows"]
                self.assertEqual([row["stage"] for row in rows], ["baseline", *config["technique"]])
                self.assertLess(rows[2]["macs"], rows[1]["macs"])
                bits = config["technique"]["qat"]["weight_bits"]
                quantized = next(row for row in rows if row["stage"] == "qat")
                self.assertGreater(quantized["bitops_cr"], 0.5 * (32 / bits) ** 2)


if __name__ == "__main__":
    support.main()
