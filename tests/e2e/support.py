# Driving the program from end-to-end tests: a small data set, a small configuration, running commands.
import gzip
import json
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

CLASSES = 10
SIDE = 16


def program():
    return os.environ["TOPRESS_PROGRAM"]


def environment(**extra):
    """Without plugins, data or caches of the user: what a test finds is what the build made."""
    kept = {key: os.environ[key] for key in ("PATH", "LD_LIBRARY_PATH", "TMPDIR") if key in os.environ}
    return {**kept, "HOME": tempfile.gettempdir(), "TERM": "dumb", "LC_ALL": "C.UTF-8",
            "OMP_NUM_THREADS": "1", "TOPRESS_STAGE_CACHE": "off", **extra}


def run(*arguments, status=0, **extra):
    """Runs the program; fails with its output unless it ends with `status`."""
    done = subprocess.run([program(), *map(str, arguments)], capture_output=True, text=True,
                          env=environment(**extra), timeout=120)
    assert done.returncode == status, (
        f"{arguments} ended with {done.returncode}, not {status}\n{done.stdout}\n{done.stderr}")
    return done


def run_json(*arguments, status=0, **extra):
    return json.loads(run(*arguments, "--json", status=status, **extra).stdout)


def _pictures(count, seed):
    """One bright square per class at its own place, with noise: easy, but not trivial."""
    source = random.Random(seed)
    labels = bytes(index % CLASSES for index in range(count))
    pixels = bytearray()
    for label in labels:
        picture = bytearray(source.randrange(90) for _ in range(SIDE * SIDE))
        top, left = 1 + 3 * (label // 2), 2 + 8 * (label % 2)
        for row in range(top, min(SIDE, top + 4)):
            for column in range(left, left + 5):
                picture[row * SIDE + column] = 120 + source.randrange(130)
        pixels += picture
    return bytes(pixels), labels


def write_dataset(folder, train=1200, test=300):
    """An idx data set in the format of MNIST."""
    os.makedirs(folder, exist_ok=True)
    for name, count, seed in (("train", train, 1), ("t10k", test, 2)):
        pixels, labels = _pictures(count, seed)
        with gzip.open(f"{folder}/{name}-images-idx3-ubyte.gz", "wb", 1) as file:
            file.write(struct.pack(">IIII", 0x803, count, SIDE, SIDE) + pixels)
        with gzip.open(f"{folder}/{name}-labels-idx1-ubyte.gz", "wb", 1) as file:
            file.write(struct.pack(">II", 0x801, count) + labels)
    return folder


HEAD = """
schema = 1
seed = 7
threads = 1
[model]
architecture = "resnet"
depth = 14
width = 8
[data]
dataset = "mnist"
path = "data"
crop_padding = 0
flip = false
[train]
batch_size = 32
learning_rate = 0.1
schedule = "one-cycle"
[baseline]
epochs = 2
"""

STUDENT = """
[technique.student]
depth = 8
epochs = 2
"""

CHANNEL = """
[technique.channel]
macs_ratio = 0.7
round_to = 2
minimum_channels = 2
steps = 2
epochs = 1
"""

QAT = """
[technique.qat]
weight_bits = 4
activation_bits = 4
epochs = 1
"""

CONFIDENCE = """
[technique.confidence]
epochs = 2
max_drop_pp = 3.0
"""


LEAST = 0.5  # accuracy of a network that learnt something; ten classes: chance is 0.1


def rows_of(workplace, name, text):
    """The ledger of a run of this configuration in the folder `name`; its baseline is shared by the class."""
    config = workplace.write(f"{name}.toml", text)
    return run_json("run", config, "--brief", "--output", workplace.path(name),
                    TOPRESS_STAGE_CACHE=workplace.path("cache"))["rows"]


class Workplace(unittest.TestCase):
    """A temporary folder with the data set; removed afterwards."""

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="topress-e2e-")
        cls.folder = cls.temporary.name
        write_dataset(f"{cls.folder}/data")

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder, name)

    @classmethod
    def write(cls, name, text):
        with open(cls.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return cls.path(name)

    @classmethod
    def read_json(cls, name):
        with open(cls.path(name), encoding="utf-8") as file:
            return json.load(file)

    def assert_files(self, folder, *names):
        for name in names:
            self.assertTrue(os.path.getsize(self.path(f"{folder}/{name}")) > 0, name)


def interrupt_when(arguments, is_time, signal_number=signal.SIGINT):
    """Starts the program and sends the signal as soon as is_time() is true; (status, stdout, stderr)."""
    running = subprocess.Popen([program(), *map(str, arguments)], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, env=environment())
    deadline = time.monotonic() + 60
    while not is_time() and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    running.send_signal(signal_number)
    stdout, stderr = running.communicate(timeout=60)
    return running.returncode, stdout, stderr


def main():
    unittest.main(argv=[sys.argv[0], "-v"])
