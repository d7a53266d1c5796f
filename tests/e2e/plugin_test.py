# What the program says about plugins: the listing, the whole decision, the probe in a child process.
import os
import shutil

import support
from support import run, run_json

PRUNING = "pruning.channel"


class Plugins(support.Workplace):
    def folder_with(self, name, **files):
        os.makedirs(self.path(name), exist_ok=True)
        for file, text in files.items():
            self.write(f"{name}/{file}.so", text)
        return self.path(name)

    def bundled(self, technique):
        for plugin in run_json("plugin", "list")["plugins"]:
            if any(entry["id"] == technique for entry in plugin["techniques"]):
                return plugin
        raise AssertionError(technique)

    def gates(self, *arguments):
        document = run_json("plugin", "why", *arguments)
        return document, [{gate["gate"]: gate for gate in file["gates"]} for file in document["files"]]

    def test_why_explains_a_plugin_that_is_used(self):
        document, files = self.gates(PRUNING)
        self.assertEqual(len(files), 1)
        self.assertEqual({gate["outcome"] for gate in files[0].values()}, {"passed"})
        self.assertTrue(document["verdict"].startswith("used: "))
        text = run("plugin", "why", PRUNING).stdout
        for word in ("searched", "beside the program", "probe", "LibTorch", "verdict: used"):
            self.assertIn(word, text)

    def test_why_shows_shadowed_and_refused_files_with_what_to_do(self):
        original = self.bundled(PRUNING)
        folder = self.folder_with("copies")
        copy = shutil.copy(original["path"], os.path.join(folder, "copy.so"))
        document, files = self.gates(original["id"], "--plugin-path", folder)
        self.assertEqual([file["used"] for file in document["files"]], [True, False])
        self.assertEqual(document["files"][0]["path"], copy)
        self.assertEqual(files[1]["id"]["outcome"], "refused")
        self.assertIn(copy, files[1]["id"]["found"])
        os.chmod(copy, 0o666)
        document, files = self.gates(copy)
        self.assertEqual(files[0]["place"]["code"], "plugin/writable-by-others")
        self.assertEqual(files[0]["probe"]["outcome"], "not reached")
        self.assertIn("chmod", files[0]["place"]["hint"])
        self.assertIn("what to do", run("plugin", "why", copy).stdout)

    def test_why_of_an_unknown_name_tells_the_nearest(self):
        document = run_json("plugin", "why", "pruning.chanel", status=4)
        self.assertEqual(document["diagnostics"][0]["code"], "plugin/unknown")
        self.assertIn(f"'{PRUNING}'", document["diagnostics"][0]["hint"])

    def test_listing_knows_the_probe_once_it_was_made(self):
        cache = self.path("cache")
        before = run_json("plugin", "list", XDG_CACHE_HOME=cache)
        self.assertEqual({plugin["probe"] for plugin in before["plugins"]}, {"not yet"})
        run("plugin", "why", PRUNING, XDG_CACHE_HOME=cache)
        after = {plugin["id"]: plugin["probe"]
                 for plugin in run_json("plugin", "list", XDG_CACHE_HOME=cache)["plugins"]}
        self.assertEqual(sorted(after.values()).count("passed"), 1)
        self.assertEqual(after[self.bundled(PRUNING)["id"]], "passed")

    def test_deny_and_allow_of_the_user_are_obeyed(self):
        os.makedirs(self.path("config/topress"), exist_ok=True)
        identity = self.bundled(PRUNING)["id"]
        self.write("config/topress/config.toml", f'schema = 1\n[plugins]\ndeny = ["{identity}"]\n')
        refused = [plugin["refusal"]["code"]
                   for plugin in run_json("plugin", "list", XDG_CONFIG_HOME=self.path("config"))["plugins"]
                   if plugin["id"] == identity]
        self.assertEqual(refused, ["plugin/denied"])
        self.write("config/topress/config.toml", "schema = 1\n[plugins]\ndeny = [7]\n")
        document = run_json("plugin", "list", status=3, XDG_CONFIG_HOME=self.path("config"))
        self.assertEqual(document["diagnostics"][0]["line"], 3)

    def test_probe_is_hidden_and_answers(self):
        self.assertNotIn("probe", run("--help").stdout)
        self.assertIn('topress-probe: {"schema":1,"passed":true}',
                      run("probe", self.bundled(PRUNING)["path"]).stdout)
        text = self.folder_with("text", text="no library\n") + "/text.so"
        self.assertIn("plugin/not-elf", run("probe", text).stdout)


if __name__ == "__main__":
    support.main()
