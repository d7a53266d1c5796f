#!/usr/bin/env python3
"""Holds the include directions of the tree: who may include whom, and where a third party has its home.

Separate targets are not enough: all distribution headers share one include root."""
import pathlib
import re
import sys

# A folder of core/ and the folders it may include besides itself.
CORE = {
    "base": set(),
    "config": {"base"},
    "order": {"base"},
    "network": {"base"},
    "zoo": {"base", "network"},
    "data": {"base"},
    "train": {"base", "network", "data"},
    "plugin": {"base", "config"},
    "tools": {"base", "config", "plugin"},
    "pipeline": {"base", "config", "order", "network", "zoo", "data", "train", "plugin"},
    "explore": {"base", "config", "order", "network", "zoo", "data", "train", "plugin", "pipeline"},
    "conformance": {"base", "config", "network", "zoo", "data", "train", "plugin", "pipeline"},
    "cli": {"base", "config", "order", "network", "zoo", "data", "train", "plugin", "pipeline", "explore", "conformance"},
}
# The host side of the interfaces (core/plugin/host_*) joins networks, data and training.
HOST = CORE["plugin"] | {"plugin", "network", "zoo", "data", "train"}

# First part of an include path -> the only places (path prefixes) that may use it.
HOMES = {
    "toml++": ["core/config/", "core/order/rules", "core/order/evidence", "core/order/toml_reader", "core/plugin/metadata", "sdk/tools/", "tests/"],
    "spdlog": ["core/base/log.cpp"],
    "boost/dll": ["core/plugin/"],
    "boost/graph": ["core/order/", "tests/unit/order/"],
    "boost/context": ["sdk/include/topress/testkit/", "sdk/testkit/"],
    "CLI": ["core/cli/"],
    "ATen": ["core/network/", "core/zoo/", "core/data/", "core/train/", "core/plugin/host_",
             "core/pipeline/", "core/conformance/", "core/cli/", "sdk/", "plugins/", "tests/"],
    "torch": ["core/network/", "core/train/", "core/plugin/host_", "core/cli/", "sdk/include/topress/fingerprint.hpp", "tests/"],
    "c10": ["core/network/", "core/zoo/", "core/data/", "core/train/", "core/plugin/host_",
            "core/pipeline/", "core/conformance/", "core/cli/", "sdk/", "plugins/", "tests/"],
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def module_of(path):
    parts = path.split("/")
    return parts[1] if parts[0] == "core" and len(parts) > 2 else None


def problems_of(path, text):
    module = module_of(path)
    name = pathlib.PurePath(path).name
    host = path.startswith("core/plugin/host_")
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        target = match.group(2)
        first = target.split("/")[0]
        if target == "torch/torch.h":
            yield f"{path}:{number}: torch/torch.h costs 16 s a file: include what is used from ATen"
        if module and first in CORE and "/" in target and first != module:
            allowed = HOST if host else CORE[module]
            if first not in allowed:
                yield f"{path}:{number}: core/{module} must not include core/{first} ({target})"
        if path.startswith("plugins/") and first in CORE and "/" in target and match.group(1) == '"':
            yield f"{path}:{number}: a plugin sees the SDK only, not {target}"
        if path.startswith("sdk/") and first in CORE and "/" in target and match.group(1) == '"':
            yield f"{path}:{number}: the SDK must not include {target}"
        if path.startswith("core/") and target.startswith("plugins/"):
            yield f"{path}:{number}: core must not include from plugins"
        for third_party, homes in HOMES.items():
            if target.startswith(third_party + "/") and not any(path.startswith(h) for h in homes):
                yield f"{path}:{number}: <{target}> has its home in {', '.join(homes)}"
        if name.endswith((".cu", ".cuh")) and first in ("ATen", "torch", "c10", "spdlog", "toml++"):
            yield f"{path}:{number}: kernels include the launcher header, CUDA and std only"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    seen = 0
    problems = []
    for folder in ("core", "plugins", "sdk", "tests"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".cpp", ".hpp", ".h", ".cu", ".cuh"):
                seen += 1
                problems += problems_of(path.relative_to(root).as_posix(), path.read_text())
    print("\n".join(problems))
    print(f"{seen} files, {len(problems)} problems")
    return 1 if problems or seen == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
