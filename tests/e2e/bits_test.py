# Ways to choose bits, and signs alone: what the ledger, the cost of every layer and the file say of them.
import json
import struct

import support
from support import CHANNEL, HEAD, LEAST, QAT, STUDENT, rows_of, run_json


class Bits(support.Workplace):
    def layers(self, name):
        cost = run_json("cost", self.path(f"{name}/network.safetensors"))
        return {node["name"]: (node["weight_bits"], node["activation_bits"])
                for node in cost["operators"] if node["macs"]}

    def test_measured_bits_cost_no_more_than_uniform_ones(self):
        # Layers of a VGG cost anything between a little and a lot; in a ResNet all cost the same.
        head = HEAD.replace('"resnet"', '"vgg"').replace("depth = 14", "depth = 11")
        five = QAT.replace("bits = 4", "bits = 5")
        uniform = rows_of(self, "uniform", head + five)
        mixed = rows_of(self, "mixed", head + five + 'allocation = "measured"\n')
        self.assertLessEqual(mixed[1]["bitops"], uniform[1]["bitops"] * (1 + 1e-6))
        self.assertGreater(mixed[1]["bitops"], 0.7 * uniform[1]["bitops"])
        self.assertGreater(mixed[1]["accuracy"], LEAST)
        layers = [node for node in run_json("cost", self.path("mixed/network.safetensors"))["operators"] if node["macs"]]
        inner = {node["weight_bits"] for node in layers[1:-1]}
        self.assertGreater(len(inner), 1, "all layers got the same bits")
        self.assertTrue(inner <= {3, 4, 5, 6, 7, 8})
        self.assertEqual([layers[0]["weight_bits"], layers[-1]["weight_bits"]], [8, 8])

    def test_a_budget_of_bitops_holds(self):
        text = HEAD + QAT.replace("bits = 4", "bits = 3") + 'allocation = "measured"\n'
        rows = rows_of(self, "budget", text + "bitops_cr = 60\n")
        self.assertGreaterEqual(rows[1]["bitops_cr"], 60 * (1 - 1e-6))
        self.assertLess(rows[1]["bitops_cr"], 75)
        self.assertGreater(rows[1]["accuracy"], LEAST)
        too_much = self.write("too-much.toml", text + "bitops_cr = 900\n")
        found = run_json("run", too_much, "--brief", "--output", self.path("too-much"), status=4)["diagnostics"]
        self.assertIn("the fewest bits", found[0]["message"])

    def test_layers_get_the_bits_of_their_pattern(self):
        rows = rows_of(self, "patterns", HEAD + QAT + 'layer_bits = ["stage2.*=W2A3", "*.block0.conv2=float"]\n')
        self.assertGreater(rows[1]["accuracy"], LEAST)
        for name, bits in self.layers("patterns").items():
            with self.subTest(layer=name):
                if name.endswith(".block0.conv2"):
                    self.assertEqual(bits, (32, 32))
                elif name.startswith("stage2."):
                    # Layers that read one value share its quantizer, at the widest of their wishes.
                    self.assertEqual(bits[0], 2)
                    self.assertIn(bits[1], (3, 4))
        for wrong, said in (("nowhere*=W2A2", "no layer fits"), ("stage2.*=W12A2", "names no layers and bits")):
            config = self.write("wrong.toml", HEAD + QAT + f'layer_bits = ["{wrong}"]\n')
            found = run_json("run", config, "--brief", "--output", self.path("wrong"), status=4)["diagnostics"]
            self.assertIn(said, found[0]["message"])

    def test_one_bit_leaves_signs_and_scales(self):
        rows = rows_of(self, "signs", HEAD + QAT.replace("weight_bits = 4", "weight_bits = 1"))
        self.assertGreater(rows[1]["accuracy"], LEAST)
        four = rows_of(self, "four", HEAD + QAT)
        self.assertLess(rows[1]["bitops"], 0.35 * four[1]["bitops"])
        self.assertLess(rows[1]["stored_bytes"], four[1]["stored_bytes"])
        inner = list(self.layers("signs").values())[1:-1]
        self.assertEqual(set(inner), {(1, 4)})

    def scales(self, file):
        """Shape of the scales of every quantized layer's weight, from the header of a saved network."""
        with open(self.path(file), "rb") as stream:
            (size,) = struct.unpack("<Q", stream.read(8))
            header = json.loads(stream.read(size))
        return {name: entry["shape"] for name, entry in header.items() if name.endswith(".weight_quantize.scale")}

    def test_a_weight_may_have_one_scale_in_all(self):
        one = QAT + 'weight_scales = "per-tensor"\n'
        rows = rows_of(self, "one-scale", HEAD + one)
        self.assertGreater(rows[1]["accuracy"], LEAST)
        many = rows_of(self, "many-scales", HEAD + QAT)
        self.assertEqual(rows[1]["bitops"], many[1]["bitops"])
        self.assertLess(rows[1]["stored_bytes"], many[1]["stored_bytes"])
        layers = self.scales("many-scales/network.safetensors")
        self.assertGreater(len(layers), 10)
        self.assertTrue(all(shape[0] > 1 for shape in layers.values()))
        self.assertEqual(self.scales("one-scale/network.safetensors"), {name: [1] for name in layers})
        # What replaces or narrows such a network leaves it so.
        forced = '[order]\nforce = ["qat", "channel", "student"]\noverride = true\n'
        rows = rows_of(self, "one-scale-first", HEAD + forced + one + CHANNEL + STUDENT)
        self.assertGreater(min(row["accuracy"] for row in rows), LEAST)
        self.assertLess(rows[2]["macs"], rows[1]["macs"])
        for name in ("stages/02-channel", "stages/03-student"):
            with self.subTest(network=name):
                kept = self.scales(f"one-scale-first/{name}.safetensors")
                self.assertGreater(len(kept), 4)
                self.assertEqual(set(map(tuple, kept.values())), {(1,)})

    def test_bits_fall_while_training(self):
        rows = rows_of(self, "falling", HEAD + QAT.replace("bits = 4", "bits = 2") + "progressive_bits = [4, 8]\n")
        phases = [record["phase"] for record in rows[1]["curves"]]
        self.assertEqual(list(dict.fromkeys(phases)), ["quantize-8", "quantize-4", "quantize"])
        self.assertEqual(set(list(self.layers("falling").values())[1:-1]), {(2, 2)})
        self.assertGreater(rows[1]["accuracy"], LEAST)


if __name__ == "__main__":
    support.main()
