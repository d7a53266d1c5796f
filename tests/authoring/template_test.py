# One template as an author meets it: made, configured, built, tested and run, against the installed topress.
import json
import re
import sys

from workplace import (DATASET, PREFIX, PROGRAM, Stopwatch, environment, fresh_folder, require, run,
                       run_json, with_compiler_cache)

LONGEST_BUILD_S = 30.0      # of the weights template, in seconds of one processor; 5 to 7 on an ordinary machine
LONGEST_WAY_S = 300.0       # from `plugin new` to the last green test


def make(name, folder, variables):
    """The folder of the new project; checks what was written."""
    project = folder / f"my {name}"
    document = run_json("topress", "plugin", "new", f"org.example.try-{name}", project,
                        "--template", name, folder=folder, variables=variables)
    require(document["template"] == f"{PREFIX}/share/topress/templates/{name}",
            f"the template came from {document['template']}")
    require(document["diagnostics"] == [], f"diagnostics: {document['diagnostics']}")
    require(document["next"][0].startswith("cd "), f"the program is on PATH: {document['next']}")
    for path in document["files"]:
        require("TEMPLATE_" not in (project / path).read_text(encoding="utf-8"), f"placeholder in {path}")
    require(len(document["files"]) == len([p for p in project.rglob("*") if p.is_file()]), "files are listed")
    return project


def build(project, variables):
    """The commands that `plugin new` prints; the processor seconds of compiling and linking."""
    run("cmake", "--preset", "default", folder=project, variables=variables)
    watch = Stopwatch()
    run("cmake", "--build", "--preset", "default", folder=project, variables=variables)
    return watch.cpu_seconds()


def check_demo(project, name):
    ledger = json.loads((project / f"build/try_{name}_demo/ledger.json").read_text())
    require(ledger["state"] == "finished" and len(ledger["rows"]) == 2, "the demo ran to its end")
    require(ledger["diagnostics"] == [], f"the demo's diagnostics: {ledger['diagnostics']}")
    require(ledger["rows"][1]["technique"] == f"example.try-{name}", "the technique is the template's")


def main(name):
    folder = fresh_folder(f"template {name}")
    variables = environment(folder / "home")
    measured = name == "weights"
    if name == "exit" or not measured:
        variables = with_compiler_cache(variables)
    if name == "exit":      # the generator that needs nothing but make
        variables["CMAKE_GENERATOR"] = "Unix Makefiles"
    watch = Stopwatch()
    project = make(name, folder, variables)
    cpu = build(project, variables)
    text = run("ctest", "--preset", "default", folder=project, variables=variables)
    wall = watch.seconds()
    print(text)
    print(f"{name}: {wall:.1f} s from `plugin new` to green tests; {cpu:.1f} s of processor to build")
    require("100% tests passed" in text and re.search(r"out of [2-9]", text), "all tests passed")
    require(wall < LONGEST_WAY_S, f"{wall:.1f} s are too long")
    require(not measured or cpu < LONGEST_BUILD_S, f"building takes {cpu:.1f} s of processor")
    listed = run_json(PROGRAM, "plugin", "list", "--plugin-path", project / "build/lib/topress/plugins",
                      variables=variables)
    own = [plugin for plugin in listed["plugins"] if plugin.get("id") == f"org.example.try-{name}"]
    require(len(own) == 1 and own[0]["verdict"] == "loadable", f"plugin list: {own}")
    plan = run_json(PROGRAM, "plan", "demo.toml", folder=project, variables=variables)
    require(plan["order"] == [f"try-{name}"], f"plan: {plan['order']}")
    if not DATASET.is_dir():
        print("[SKIP] the demo needs dataset-fashion-mnist")
        return
    check_demo(project, name)


if __name__ == "__main__":
    main(sys.argv[1])
