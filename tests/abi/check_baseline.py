#!/usr/bin/env python3
"""The C ABI of <topress/abi.h> still honours the committed baseline tests/abi/baseline/abi-MAJOR.txt.

Verdicts: "same"; "additions" (the minor number was raised and the new entries say `since`); "additions without a
higher minor"; "additions that do not say since when"; "incompatible" (something moved, changed or went away). The
first two pass. TOPRESS_UPDATE_GOLDEN=1 rewrites the baseline: do so when a version is released.
"""
import argparse
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lint"))
import abi_header  # noqa: E402
import c_abi  # noqa: E402

OPENING = """# The C ABI of <topress/abi.h>: macros, constants, types, and each struct's members as "offset name: type".
# Written by tests/abi/check_baseline.py with TOPRESS_UPDATE_GOLDEN=1; docs/abi.md says when.
"""


def parse(lines):
    """{name: text} of what stands alone and {struct: (size, [member line])}."""
    plain, structs, version = {}, {}, None
    for line in lines:
        words = line.split()
        if line.startswith("#") or not words:
            continue
        if words[0] == "abi":
            version = tuple(int(part) for part in words[1].split("."))
        elif words[0] == "struct":
            members = []
            structs[words[1]] = (int(words[3]), members)
        elif line.startswith(" "):
            members.append(" ".join(words))
        else:
            plain[words[1]] = line
    return version, plain, structs


def compare_struct(name, old, new):
    """(incompatible changes, appended members) of one struct."""
    (old_size, old_members), (new_size, new_members) = old, new
    broken = []
    for index, member in enumerate(old_members):
        found = new_members[index] if index < len(new_members) else "nothing"
        if found != member:
            broken.append(f"{name}: slot {index} was '{member}' and is '{found}'")
    added = new_members[len(old_members):]
    for member in added:
        if int(member.split()[0]) < old_size:
            broken.append(f"{name}: '{member}' lies in the padding of the old struct: its size does not tell them apart")
    if not added and not broken and new_size != old_size:
        broken.append(f"{name}: its size was {old_size} and is {new_size}")
    return broken, [f"{name}::{member.split()[1].rstrip(':')}" for member in added]


def compare(old, new):
    """(incompatible changes, names that were added), both as text."""
    (_, old_plain, old_structs), (_, new_plain, new_structs) = old, new
    broken = [f"{name}: was '{text}' and is '{new_plain.get(name, 'gone')}'"
              for name, text in old_plain.items() if new_plain.get(name) != text]
    added = [name for name in new_plain if name not in old_plain]
    for name, struct in old_structs.items():
        if name not in new_structs:
            broken.append(f"{name}: the struct is gone")
            continue
        changes, members = compare_struct(name, struct, new_structs[name])
        broken += changes
        added += members
    return broken, added + [name for name in new_structs if name not in old_structs]


def since(header):
    """{name or struct::member: version that the header's comments state}."""
    result = {}
    for section in abi_header.sections(header.read_text()):
        for block in section.blocks:
            result[block.head.name] = block.head.since
            for entry in block.entries:
                result[f"{block.head.name}::{entry.name}" if block.head.name else entry.name] = entry.since
    return result


def judge(old, new, header):
    """(verdict, details, may it pass?)."""
    broken, added = compare(old, new)
    if broken:
        return "incompatible", broken, False
    if new[0] < old[0]:
        return "incompatible", [f"the version went down from {old[0]} to {new[0]}"], False
    if not added:
        return "same", [], True
    if new[0] == old[0]:
        return "additions without a higher minor", added, False
    stated = since(header)
    silent = [name for name in added
              if not old[0] < tuple(int(part) for part in stated.get(name, "1.0").split(".")) <= new[0]]
    if silent:
        return "additions that do not say since when", silent, False
    return "additions", added, True


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compiler", default="cc")
    parser.add_argument("--include", default=str(HERE.parents[1] / "sdk/include"), help="folder of topress/abi.h")
    parser.add_argument("--baseline", default=str(HERE / "baseline"), help="folder of the baselines")
    arguments = parser.parse_args()
    lines = c_abi.describe(arguments.compiler, arguments.include)
    new = parse(lines)
    if not new[2]:
        print("no struct found: does the compiler write debug information?")
        return 1
    path = pathlib.Path(arguments.baseline) / f"abi-{new[0][0]}.txt"
    if os.environ.get("TOPRESS_UPDATE_GOLDEN"):
        path.write_text(OPENING + "\n".join(lines) + "\n")
    if not path.exists():
        print(f"verdict: no baseline for major {new[0][0]}: write it with TOPRESS_UPDATE_GOLDEN=1")
        return 1
    old = parse(path.read_text().splitlines())
    verdict, details, passes = judge(old, new, pathlib.Path(arguments.include) / "topress/abi.h")
    print(f"verdict: {verdict}")
    print("\n".join(details))
    print(f"{len(new[2])} structs, {sum(len(members) for _, members in new[2].values())} members, "
          f"{len(new[1])} names against {path.name} of version {old[0][0]}.{old[0][1]}")
    return 0 if passes else 1


if __name__ == "__main__":
    sys.exit(main())
