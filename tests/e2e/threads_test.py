# Threads: equal seeds and equal threads give equal bytes, another number of threads changes rounding only.
import hashlib
import json
import struct

import support
from support import CHANNEL, CONFIDENCE, HEAD, QAT, STUDENT, run_json

FEW_STEPS = HEAD.replace("epochs = 2", "epochs = 0.1")


class Threads(support.Workplace):
    def network(self, name, text, threads):
        config = self.write("threads.toml", text)
        run_json("run", config, "--brief", "--threads", threads, "--output", self.path(name))
        with open(self.path(f"{name}/network.safetensors"), "rb") as file:
            return file.read()

    @staticmethod
    def values(network):
        """All float32 numbers of a saved network, by tensor."""
        (size,) = struct.unpack("<Q", network[:8])
        header, body = json.loads(network[8:8 + size]), network[8 + size:]
        header.pop("__metadata__")
        return {name: [value for (value,) in struct.iter_unpack("<f", body[slice(*entry["data_offsets"])])]
                for name, entry in header.items()}

    def test_equal_threads_give_equal_bytes(self):
        text = HEAD + STUDENT + CHANNEL + QAT + CONFIDENCE
        first, second = (self.network(f"equal-{index}", text, 2) for index in (1, 2))
        self.assertEqual(hashlib.sha256(first).hexdigest(), hashlib.sha256(second).hexdigest())

    def test_other_threads_change_rounding_only(self):
        one, two = (self.values(self.network(f"few-{threads}", FEW_STEPS, threads)) for threads in (1, 2))
        self.assertEqual(one.keys(), two.keys())
        for name in one:
            size = max(map(abs, one[name]))
            difference = max(abs(a - b) for a, b in zip(one[name], two[name]))
            self.assertLess(difference, 1e-3 * max(size, 1.0), name)

    def test_the_number_of_threads_is_in_the_ledger(self):
        config = self.write("threads.toml", FEW_STEPS)
        for threads in (1, 2):
            document = run_json("run", config, "--brief", "--threads", threads,
                                "--output", self.path(f"ledger-{threads}"))
            self.assertEqual(document["conditions"]["threads"], threads)


if __name__ == "__main__":
    support.main()
