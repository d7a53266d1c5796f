#!/usr/bin/env python3
"""Forbidden CMake commands with the reason and what to write instead."""
import pathlib
import re
import sys

FORBIDDEN = {
    r"\binclude_directories\s*\(": "directory scope leaks: target_include_directories",
    r"\blink_directories\s*\(": "directory scope leaks: imported targets",
    r"\blink_libraries\s*\(": "directory scope leaks: target_link_libraries",
    r"\badd_definitions\s*\(": "directory scope leaks: target_compile_definitions",
    r"\badd_compile_options\s*\(": "directory scope leaks: target_compile_options",
    r"\bFetchContent": "the build does not download: find_package",
    r"\bExternalProject": "the build does not download: find_package",
    r"\bmacro\s*\(": "macros leak variables: function",
    r"\bCMAKE_CXX_FLAGS\b": "flags belong to targets: target_compile_options",
}
# Globbing of sources hides files from the build; the LibTorch finder looks for installations.
GLOB = re.compile(r"\bfile\s*\(\s*GLOB")
VISIBILITY = re.compile(r"target_link_libraries\s*\(\s*\S+\s+(?!PUBLIC|PRIVATE|INTERFACE)(\S+)")


def problems_of(path, text):
    code = "\n".join(line.split("#", 1)[0] if not line.lstrip().startswith("#") else "" for line in text.splitlines())
    for number, line in enumerate(code.splitlines(), 1):
        for pattern, instead in FORBIDDEN.items():
            if re.search(pattern, line):
                yield f"{path}:{number}: {line.strip()}  -> {instead}"
        if GLOB.search(line) and "FindTopressTorch" not in path:
            yield f"{path}:{number}: list sources by hand, one per line"
        if VISIBILITY.search(line):
            yield f"{path}:{number}: say PUBLIC, PRIVATE or INTERFACE"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    files = [root / "CMakeLists.txt"]
    for folder in ("core", "plugins", "sdk", "tests"):
        files += sorted((root / folder).rglob("CMakeLists.txt")) + sorted((root / folder).rglob("*.cmake"))
    problems = [p for f in files for p in problems_of(f.relative_to(root).as_posix(), f.read_text())]
    print("\n".join(problems))
    print(f"{len(files)} files, {len(problems)} problems")
    return 1 if problems or len(files) < 2 else 0


if __name__ == "__main__":
    sys.exit(main())
