#!/usr/bin/env python3
"""Runs topress on the fixtures of this folder and compares what it says, word for word."""
import argparse
import difflib
import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent.parent
HEADER = re.compile(r"^(error|warning)\[([^\]]+)\]: ", re.MULTILINE)
DEFAULT_ARGUMENTS = ["plan", "input.toml"]
TIMEOUT_S = 100


def environment(home):
    """The caller's environment without anything that would change the answer."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("TOPRESS_", "XDG_"))}
    home.mkdir(parents=True, exist_ok=True)
    return {**kept, "HOME": str(home), "NO_COLOR": "1", "OMP_NUM_THREADS": "1"}


def normalised(text, topress):
    """Machine paths out: the fixture's folder vanishes, sources and build become <...>."""
    build = topress.parent.parent
    for path, name in ((f"{HERE}/", ""), (f"{build}/", "<build>/"), (f"{SOURCE}/", "<source>/")):
        text = text.replace(path, name)
    return text


def run(command, fixture, home):
    return subprocess.run(command, cwd=fixture, env=environment(home), capture_output=True,
                          text=True, timeout=TIMEOUT_S, check=False)


def arguments_of(fixture):
    path = fixture / "args"
    return path.read_text().splitlines() if path.exists() else DEFAULT_ARGUMENTS


def text_of(path):
    return path.read_text() if path.exists() else ""


def compared(name, expected, actual):
    """Nothing if equal, else a unified diff."""
    if expected == actual:
        return []
    return list(difflib.unified_diff(expected.splitlines(), actual.splitlines(),
                                     f"{name} (expected)", f"{name} (actual)", lineterm=""))


def json_problems(plain, document_run):
    """--json must tell the same mistakes and end with the same status."""
    if document_run.returncode != plain.returncode:
        return [f"exit status {document_run.returncode} with --json, {plain.returncode} without"]
    try:
        document = json.loads(document_run.stdout)
    except ValueError as error:
        return [f"--json printed no JSON document: {error}"]
    problems = []
    if document.get("status") != ("ok" if plain.returncode == 0 else "error"):
        problems.append(f"--json: status is {document.get('status')!r}")
    told = [(found["severity"], found["code"]) for found in document.get("diagnostics", [])
            if found["severity"] in ("error", "warning")]
    if told != HEADER.findall(plain.stderr):
        problems.append(f"--json tells {told}, standard error {HEADER.findall(plain.stderr)}")
    return problems


def check(fixture, topress, home):
    """The problems of one fixture, as lines of text."""
    command = [str(topress), *arguments_of(fixture)]
    plain = run(command, fixture, home)
    text = normalised(plain.stderr, topress)
    status = f"{plain.returncode}\n"
    if os.environ.get("TOPRESS_UPDATE_GOLDEN"):
        (fixture / "expected.txt").write_text(text)
        (fixture / "status").write_text(status)
    problems = compared("expected.txt", text_of(fixture / "expected.txt"), text)
    problems += compared("status", text_of(fixture / "status"), status)
    if not HEADER.search(text):
        problems.append("the program reported nothing")
    return problems + json_problems(plain, run([*command, "--json"], fixture, home))


def unlisted(names):
    folders = {path.name for path in HERE.iterdir() if (path / "status").exists()}
    return [f"{name} is in the folder or in CMakeLists.txt, but not in both"
            for name in sorted(folders ^ set(names))]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--topress", type=pathlib.Path, help="the program")
    parser.add_argument("--home", type=pathlib.Path, help="home folder of the runs")
    parser.add_argument("--check-listed", action="store_true",
                        help="only check that the names are all the fixtures there are")
    parser.add_argument("fixtures", nargs="*", help="names; none: all")
    options = parser.parse_args()
    if options.check_listed:
        problems = unlisted(options.fixtures)
        print("\n".join(problems))
        return 1 if problems else 0
    if options.topress is None or options.home is None:
        parser.error("--topress and --home are needed")
    names = options.fixtures or sorted(path.parent.name for path in HERE.glob("*/status"))
    failed = 0
    for name in names:
        problems = check(HERE / name, options.topress.resolve(), options.home.resolve())
        failed += bool(problems)
        print(f"{'FAILED' if problems else 'ok'} {name}")
        print("".join(f"  {line}\n" for line in problems), end="")
    return 1 if failed or not names else 0


if __name__ == "__main__":
    sys.exit(main())
