# `topress plugin new` on the command line: mistakes, what it prints, JSON on success and failure.
import os
import pathlib
import shlex
import subprocess
import tempfile
import unittest

from workplace import PROGRAM, environment, run, run_json

TEMPLATES = ("distillation", "exit", "operator", "pruning", "quantization", "weights")


class PluginNew(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="topress-new-")
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.variables = environment(self.folder)

    def new(self, *arguments, status=0):
        return run_json(PROGRAM, "plugin", "new", *arguments, folder=self.folder,
                        variables=self.variables, status=status)

    def code_of(self, *arguments):
        document = self.new(*arguments, status=2)
        self.assertEqual((document["command"], document["status"]), ("plugin new", "error"))
        return document["diagnostics"][0]["code"]

    def test_mistakes_have_codes_and_leave_nothing_behind(self):
        (self.folder / "full").mkdir()
        (self.folder / "full/mine.txt").write_text("mine")
        self.assertEqual(self.code_of("Shrink"), "usage/bad-plugin-id")
        self.assertEqual(self.code_of("org.example.x", "--template", "wheights"), "usage/unknown-template")
        self.assertEqual(self.code_of("org.example.x", "full"), "usage/folder-not-empty")
        self.assertEqual(self.code_of(), "usage/bad-arguments")
        self.assertEqual(sorted(os.listdir(self.folder)), ["full"])
        self.assertEqual(os.listdir(self.folder / "full"), ["mine.txt"])

    def test_the_nearest_template_is_suggested_and_all_are_named(self):
        hint = self.new("a.b", "--template", "prunning", status=2)["diagnostics"][0]["hint"]
        self.assertTrue(hint.startswith("did you mean 'pruning'?"), hint)
        for name in TEMPLATES:
            self.assertIn(name, hint)

    def test_a_folder_that_cannot_be_made_is_an_error_of_the_environment(self):
        (self.folder / "file").write_text("")
        document = self.new("a.b", "file/below", status=1)
        self.assertEqual(document["diagnostics"][0]["code"], "file/cannot-write")

    def test_the_folder_defaults_to_the_last_part_of_the_id(self):
        document = self.new("org.example.shrink")
        self.assertEqual(document["directory"], str(self.folder.resolve() / "shrink"))
        self.assertEqual(document["technique"], "example.shrink")
        self.assertTrue((self.folder / "shrink/shrink.cpp").is_file())

    def test_text_names_files_and_commands_that_a_shell_can_read(self):
        text = run(PROGRAM, "plugin", "new", "org.example.shrink", "it's mine", folder=self.folder,
                   variables={**self.variables, "PATH": "/usr/bin:/bin"})
        commands = text.split("next:\n")[1].splitlines()
        self.assertEqual(shlex.split(commands[0]), ["export", f"PATH={PROGRAM.parent}:$PATH"])
        self.assertEqual(shlex.split(commands[1]), ["cd", "it's mine"])
        script = f"{commands[0]}\n{commands[1]}\ncommand -v topress && pwd"
        done = subprocess.run(["sh", "-ec", script], cwd=self.folder, env=self.variables,
                              capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout.split("\n")[0], str(PROGRAM))
        self.assertTrue(done.stdout.strip().endswith("it's mine"))
        self.assertIn("shrink.cpp", text)

    def test_every_template_writes_a_whole_project(self):
        for name in TEMPLATES:
            files = self.new(f"org.example.{name}", "--template", name)["files"]
            self.assertLessEqual({"CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md", "demo.toml",
                                  "plugin.toml", "tests/demo_test.cmake", f"{name}.cpp", ".gitignore"},
                                 set(files))

    def test_help_names_every_template(self):
        text = run(PROGRAM, "plugin", "new", "--help", variables=self.variables)
        for name in TEMPLATES:
            self.assertIn(name, text)


if __name__ == "__main__":
    unittest.main(argv=["new_test", "-v"])
