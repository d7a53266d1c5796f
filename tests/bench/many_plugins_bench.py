#!/usr/bin/env python3
"""How long `plugin list` and `plan` take with 1,000 plugins, and that they open none of them.

Usage: many_plugins_bench.py TOPRESS [--plugins N] [--rounds N] [--limit SECONDS] [--json]

One small library with the notes of a plugin is compiled; its copies differ in their ids. Its constructor
ends the program with status 99, so a command that opened one could not succeed; the loader's own
account (LD_DEBUG=files) is counted as well. Ends with 1 if a command took longer than the limit."""
import argparse
import json
import os
import pathlib
import statistics
import struct
import subprocess
import sys
import tempfile
import time

INCLUDE = pathlib.Path(__file__).resolve().parents[2] / "sdk/include"
NUMBER = "00000"  # replaced in each copy by its own
METADATA = f"""schema = 1
[plugin]
id = "org.example.bench.p{NUMBER}"
version = "1.0.0"
license = "Apache-2.0"
summary = "One of very many plugins"
[[technique]]
id = "bench.t{NUMBER}"
summary = "Changes weights in one way of very many"
kind = "static"
granularity = "weight"
reads = ["weights"]
writes = ["weights"]
needs = {{ training_data = true, labels = true }}
  [[technique.after]]
  target = "granularity:channel"
  reason = "what is removed needs no weights"
  [technique.parameters.ratio]
  type = "number"
  default = 0.5
  minimum = 0.0
  maximum = 1.0
  doc = "Share of the weights that stay."
  [technique.parameters.epochs]
  type = "integer"
  default = 1
  minimum = 0
  doc = "Epochs of training afterwards."
  [technique.parameters.scope]
  type = "string"
  default = "layer"
  values = ["layer", "network"]
  doc = "Where weights are compared with each other."
"""
SOURCE = r"""
#include <topress/abi.h>
#include <stddef.h>
#include <unistd.h>
#define NOTE(name) __attribute__((section(name), used, aligned(4)))
NOTE(".note.topress") static const struct { unsigned name_size, content_size, type; char name[8];
    unsigned char content[METADATA_SIZE]; } metadata = {8, METADATA_SIZE, METADATA_TYPE, "topress", METADATA_BYTES};
NOTE(".note.topress.abi") static const struct { unsigned name_size, content_size, type; char name[8];
    unsigned char content[BUILD_SIZE]; } build = {8, BUILD_SIZE, BUILD_TYPE, "topress", BUILD_BYTES};
static topress_status init(const topress_host* host, topress_error* error) { return TOPRESS_OK; }
static const void* get_interface(const char* id) { return 0; }
__attribute__((visibility("default"))) const topress_entry topress_plugin_entry = {
    TOPRESS_ENTRY_MAGIC, sizeof(topress_entry), TOPRESS_ABI_MAJOR, TOPRESS_ABI_MINOR, metadata.content, METADATA_SIZE,
    (const topress_fingerprint*)(build.content + offsetof(topress_abi_note, fingerprint)), init, 0, get_interface};
__attribute__((constructor)) static void opened(void) { _exit(99); }
"""
CONFIG = """schema = 1
[model]
architecture = "resnet"
depth = 8
[data]
dataset = "mnist"
[technique.channel]
macs_ratio = 0.5
[technique.many]
use = "bench.t00007"
"""


def notes_of(library):
    """{type: content} of the notes named topress in a 64 bit little-endian ELF file."""
    data = library.read_bytes()
    headers_at, = struct.unpack_from("<Q", data, 32)
    header_size, header_count = struct.unpack_from("<HH", data, 54)
    notes = {}
    for index in range(header_count):
        kind, _, offset, _, _, size = struct.unpack_from("<IIQQQQ", data, headers_at + index * header_size)
        at, end = offset, offset + size
        while kind == 4 and at + 12 <= end:
            name_size, content_size, note_type = struct.unpack_from("<III", data, at)
            content_at = at + 12 + (name_size + 3) // 4 * 4
            if data[at + 12:at + 12 + name_size] == b"topress\0":
                notes[note_type] = data[content_at:content_at + content_size]
            at = content_at + (content_size + 3) // 4 * 4
    return notes


def generate(folder, bundled, count):
    """`count` libraries for the same host as the bundled plugin."""
    metadata_type, build_type = None, None
    for note_type, content in notes_of(bundled).items():
        if b"[plugin]" in content:
            metadata_type = note_type
        else:
            build_type, build = note_type, content
    text = METADATA.encode()
    values = {"METADATA_SIZE": len(text), "METADATA_TYPE": metadata_type, "BUILD_SIZE": len(build),
              "BUILD_TYPE": build_type, "METADATA_BYTES": "{%s}" % ",".join(map(str, text)),
              "BUILD_BYTES": "{%s}" % ",".join(map(str, build))}
    first = folder / "first.so"
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-Wl,-z,noseparate-code", "-s",
                    f"-I{INCLUDE}", "-x", "c", "-", "-o", first, *(f"-D{name}={value}" for name, value in values.items())],
                   input=SOURCE, text=True, check=True)
    template = first.read_bytes()
    first.unlink()
    assert template.count(NUMBER.encode()) == 2, "the ids must be found in the library"
    for number in range(count):
        (folder / f"p{number:05}.so").write_bytes(template.replace(NUMBER.encode(), b"%05d" % number))
    return len(template)


def environment(home, **extra):
    kept = {key: os.environ[key] for key in ("PATH", "LD_LIBRARY_PATH", "OMP_WAIT_POLICY") if key in os.environ}
    return {**kept, "HOME": str(home), "TERM": "dumb", **extra}


def measure(command, env, rounds):
    """Median wall time in seconds, after one run to warm the caches up."""
    seconds = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        done = subprocess.run(command, env=env, capture_output=True, text=True)
        seconds.append(time.perf_counter() - start)
        assert done.returncode == 0, f"{command} ended with {done.returncode}: {done.stderr[-2000:]}"
    return statistics.median(seconds[1:]), done.stdout


def opened(command, env, folder):
    """How many libraries of the folder the system's loader was asked for."""
    done = subprocess.run(command, env={**env, "LD_DEBUG": "files"}, capture_output=True, text=True)
    assert "calling init" in done.stderr, "LD_DEBUG=files gave no account"
    return sum(str(folder) in line for line in done.stderr.splitlines() if "calling init" in line)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("topress", type=pathlib.Path)
    parser.add_argument("--plugins", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--limit", type=float, default=0.5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    topress = options.topress.resolve()
    bundled = sorted((topress.parent.parent / "lib/topress/plugins").glob("*.so"))[0]
    with tempfile.TemporaryDirectory(prefix="topress-bench-") as temporary:
        home = pathlib.Path(temporary)
        folder = home / "plugins"
        folder.mkdir()
        size = generate(folder, bundled, options.plugins)
        (home / "config.toml").write_text(CONFIG)
        env = environment(home)
        path = ["--plugin-path", str(folder)]
        commands = {"--version": [str(topress), "--version"],
                    "plugin list, bundled only": [str(topress), "plugin", "list", "--json"],
                    "plugin list": [str(topress), "plugin", "list", "--json", *path],
                    "plan": [str(topress), "plan", str(home / "config.toml"), "--json", *path]}
        results = {}
        for name, command in commands.items():
            seconds, output = measure(command, env, options.rounds)
            if name == "plugin list":
                found = sum(entry["verdict"] == "loadable" and entry["path"].startswith(str(folder))
                            for entry in json.loads(output)["plugins"])
                assert found == options.plugins, f"{found} of {options.plugins} are loadable"
            results[name] = {"seconds": round(seconds, 3), "opened": opened(command, env, folder)}
    slow = [name for name, result in results.items() if result["seconds"] > options.limit]
    wrong = [name for name, result in results.items() if result["opened"]]
    if options.json:
        print(json.dumps({"schema": 1, "plugins": options.plugins, "bytes_each": size, "results": results}))
    else:
        print(f"{options.plugins} plugins of {size} bytes, median of {options.rounds} warm runs")
        for name, result in results.items():
            print(f"  {name:27} {result['seconds']:.3f} s   plugin libraries opened: {result['opened']}")
        print(f"  limit {options.limit} s: " + ("held" if not slow else "exceeded by " + ", ".join(slow)))
    return 1 if slow or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
