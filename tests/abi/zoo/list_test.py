#!/usr/bin/env python3
"""The whole zoo in one plugin folder, listed by the real program: it ends well, opens nothing, takes the good ones
and refuses each bad one with its own code.

Environment as for zoo_test.py."""
import json
import pathlib
import subprocess
import tempfile

import support
import zoo_test

# The gates before and at the build read the note as it is; behind them a fixture must look like a build of
# this program, or all would be refused for that.
FAULT_IN_BUILD = {"plugin/not-elf", "plugin/wrong-architecture", "plugin/truncated", "plugin/no-note",
                  "plugin/bad-note", "plugin/abi-major", "plugin/abi-minor", "plugin/fingerprint-mismatch"}


def place(folder, member, row):
    """Puts a member there; as a build of this program unless that is its fault."""
    scene = zoo_test.SCENES.get(member)
    if scene:
        scene(folder)
        return
    zoo_test.take(folder, member)
    is_seen_before = row["phase"] == "list" and row["code"] in FAULT_IN_BUILD and member != "program"
    if not is_seen_before:
        zoo_test.rebrand(folder / f"{member}.so", zoo_test.REAL_PLUGIN)


def fill(folder, rows):
    zoo_test.take(folder, "good")
    zoo_test.rebrand(folder / "good.so", zoo_test.REAL_PLUGIN)
    for companion in {name for row in rows.values() for name in row.get("with", [])}:
        place(folder, companion, {"phase": "load", "code": ""})
    for member, row in rows.items():
        place(folder, member, row)
    zoo_test.rebrand(folder / "zz_copy_of_good.so", zoo_test.REAL_PLUGIN)


def found_code(plugin):
    if plugin["shadowed_by"]:
        return "shadowed"
    return plugin["refusal"]["code"] if plugin["verdict"] == "refused" else ""


def main():
    rows = json.loads((zoo_test.HERE / "expected.json").read_text())["members"]
    with tempfile.TemporaryDirectory(prefix="topress-zoo-") as temporary:
        folder = pathlib.Path(temporary)
        fill(folder, rows)
        arguments = [support.program(), "plugin", "list", "--plugin-path", str(folder)]
        done = subprocess.run([*arguments, "--json"], capture_output=True, env=support.environment(), timeout=60)
        assert done.returncode == 0, done.stderr
        found = {pathlib.Path(plugin["path"]).stem: found_code(plugin)
                 for plugin in json.loads(done.stdout)["plugins"]}
        assert subprocess.run(arguments, capture_output=True, env=support.environment(), timeout=60).returncode == 0
    wrong = {}
    for member, row in rows.items():
        name = row.get("file", member)
        # Bytes of a name that are no UTF-8 are replaced in a document.
        name = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        expected = row["code"] if row["phase"] == "list" else ""
        if found.get(name) != expected:
            wrong[member] = (found.get(name), expected)
    assert not wrong, f"member: (found, expected)\n{wrong}"
    assert found["good"] == "" and found["namespace_first"] == "", found
    bundled = [name for name in found if name.startswith("topress_")]
    assert len(bundled) == 4 and all(found[name] == "" for name in bundled), found
    print(f"{len(rows)} members: {sum(map(bool, found.values()))} files refused, the others loadable")


if __name__ == "__main__":
    main()
