#!/usr/bin/env python3
"""Puts one member of the zoo beside a good plugin and holds what happens against expected.json.

Usage: zoo_test.py MEMBER   (ZOO_BUILD, ZOO_HOST, TOPRESS_PROGRAM in the environment; tests/e2e on PYTHONPATH)"""
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ["ZOO_BUILD"])
PLACES = [BUILD / "zoo/members", BUILD / "zoo/made", BUILD / "fixtures/plugins"]
NOTHING = "-"


def find(name):
    for place in PLACES:
        if (place / f"{name}.so").exists():
            return place / f"{name}.so"
    sys.exit(f"there is no {name}.so in {', '.join(map(str, PLACES))}")


def take(folder, name):
    shutil.copy(find(name), folder / f"{name}.so")


# What is no file with bytes of its own.
SCENES = {
    "pipe": lambda folder: os.mkfifo(folder / "pipe.so"),
    "dangling_link": lambda folder: os.symlink(folder / "nobody", folder / "dangling_link.so"),
    "link_to_itself": lambda folder: os.symlink(folder / "link_to_itself.so", folder / "link_to_itself.so"),
    "device": lambda folder: os.symlink("/dev/zero", folder / "device.so"),
    "copy_of_good": lambda folder: shutil.copy(find("good"), folder / "zz_copy_of_good.so"),
    "name_is_not_utf8": lambda folder: shutil.copy(find("no_note"), os.fsencode(folder) + b"/name_\xff\xfe.so"),
}


def ask_host(folder):
    """(phase, name) -> (code, message) of everything zoo_host said."""
    done = subprocess.run([os.environ["ZOO_HOST"], folder], capture_output=True, timeout=60)
    output = done.stdout.decode("utf-8", "surrogateescape")
    answers = {}
    for line in output.splitlines():
        words = line.split(" ", 3)
        if len(words) >= 3:
            answers[words[0], words[1]] = (words[2], words[3] if len(words) > 3 else "")
    alive = done.returncode == 0 and output.endswith("alive\n")
    assert alive, f"the host ended with {done.returncode}\n{output}\n{done.stderr.decode(errors='replace')}"
    return answers


def check_host(member, row, folder):
    answers = ask_host(folder)
    name = row.get("file", member)
    phases = ["list", "load", "use"]
    for phase in phases[:phases.index(row["phase"])]:
        assert answers.get((phase, name), (None,))[0] == NOTHING, f"{phase}: {answers}"
    code, message = answers.get((row["phase"], name), (None, ""))
    assert code == (row["code"] or NOTHING), f"{row['phase']}: {code} {message}, expected {row['code']}"
    assert row.get("says", "") in message, f"'{row['says']}' is not in '{message}'"
    if row["phase"] == "list":
        why, gate = answers.get(("why", name), (None, ""))
        assert why == (NOTHING if code == "shadowed" else code), f"why: {why} at {gate}, expected {code}"
        assert " " not in gate and gate != "probe", f"why: {gate}"
        message += f" (gate {gate})"
    print(f"{row['phase']}: {code} {message}")


# ---- through the program: members that may only be opened in a child process ------------------------


def build_note(data):
    """Where the fingerprint in the build note of a plugin lies."""
    at = data.find(struct.pack("<I", 2) + b"topress\0")
    assert at >= 0, "no build note"
    return at + 12 + 16


def rebrand(path, real):
    """Gives a fixture the fingerprint of a real plugin, so that the program finds no fault in its build."""
    data, bundled = path.read_bytes(), real.read_bytes()
    start, real_start = build_note(data), build_note(bundled)
    size = struct.unpack_from("<I", data, start)[0]
    path.write_bytes(data[:start] + bundled[real_start:real_start + size] + data[start + size:])
    path.chmod(0o755)


def ask_program(folder, *arguments):
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache")}
    done = subprocess.run([os.environ["TOPRESS_PROGRAM"], *map(str, arguments), "--json"], capture_output=True,
                          text=True, timeout=100, env=environment)
    assert done.returncode >= 0, f"{arguments}: killed by signal {-done.returncode}\n{done.stderr}"
    return json.loads(done.stdout)


REAL_PLUGIN = BUILD / "fixtures/sdk_plugins/fixture_throws.so"


def check_probe(member, row, folder):
    for name in (member, "good"):
        rebrand(folder / f"{name}.so", REAL_PLUGIN)
    files = ask_program(folder, "plugin", "why", folder / f"{member}.so")["files"]
    gates = {gate["gate"]: gate for gate in files[0]["gates"]}
    assert gates["probe"]["code"] == row["code"], gates
    assert row.get("says", "") in gates["probe"]["found"], gates
    files = ask_program(folder, "plugin", "why", folder / "good.so")["files"]
    assert {gate["outcome"] for gate in files[0]["gates"]} == {"passed"}, files
    print(f"probe: {row['code']} {gates['probe']['found']}")


# ---- in a run: behind a stage that must stay, on a tiny network -------------------------------------


def configuration(member, row):
    """A bundled technique first, then the member as often as its row says."""
    import support  # of tests/e2e: only this phase needs it
    text = support.HEAD.replace("epochs = 2", "epochs = 0").replace("depth = 14", "depth = 8")
    text += support.CHANNEL.replace("epochs = 1", "epochs = 0")
    labels = ["channel"] + ["member", "member-2"][:row.get("times", 1)]
    for before, label in zip(labels, labels[1:]):
        technique = "fixture." + member.replace("_", "-")
        text += "\n".join([f'[technique.{label}]', f'use = "{technique}"', *row.get("keys", []), ""])
        text += f'[[order.edge]]\nbefore = "{before}"\nafter = "{label}"\nreason = "the zoo"\n'
    return text


def check_run(member, row, folder):
    import support
    for name in (member, "good"):
        rebrand(folder / f"{name}.so", REAL_PLUGIN)
    support.write_dataset(str(folder / "data"), 320, 80)
    (folder / "zoo.toml").write_text(configuration(member, row))
    done = support.run("run", folder / "zoo.toml", "--output", folder / "out", "--plugin-path", folder, "--json",
                       status=row.get("status", 1) if row["code"] else 0)
    document = json.loads(done.stdout)
    rows = [entry["stage"] for entry in document["rows"]]
    assert rows == row.get("done", ["baseline", "channel"]), document
    errors = [found for found in document["diagnostics"] if found["severity"] == "error"]
    assert [error["code"] for error in errors][:1] == [row["code"]][:bool(row["code"])], errors
    assert row.get("says", "") in "".join(error["message"] for error in errors[:1]), errors
    for stage in range(len(rows)):  # what was done before is on disk, and whole
        support.run("inspect", next((folder / "out/stages").glob(f"{stage:02}-*.safetensors")))
    print(f"run: {row['code']} {errors[0]['message'] if errors else ''}")


CHECKS = {"probe": check_probe, "run": check_run}


def main():
    member = sys.argv[1]
    row = json.loads((HERE / "expected.json").read_text())["members"][member]
    with tempfile.TemporaryDirectory(prefix="topress-zoo-") as temporary:
        folder = pathlib.Path(temporary)
        take(folder, "good")
        for companion in row.get("with", []):
            take(folder, companion)
        SCENES.get(member, lambda place: take(place, member))(folder)
        CHECKS.get(row["phase"], check_host)(member, row, folder)


if __name__ == "__main__":
    main()
