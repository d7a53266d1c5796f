#!/usr/bin/env python3
"""Every C++ and CUDA file is as clang-format 19 leaves it, and opens by saying what it is for."""
import pathlib
import shutil
import subprocess
import sys


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    files = [p for d in ("core", "plugins", "sdk", "tests") for p in sorted((root / d).rglob("*"))
             if p.suffix in (".cpp", ".hpp", ".h", ".cu", ".cuh", ".c")]
    problems = [f"{p.relative_to(root)}: the first line does not say what the file is for" for p in files
                if not p.read_text().lstrip("\ufeff").startswith(("//", "/*"))]
    formatter = shutil.which("clang-format-19")
    if formatter is None:
        print("[SKIP] clang-format-19 is not installed")
        return 1 if problems else 0
    for start in range(0, len(files), 50):
        done = subprocess.run([formatter, "--dry-run", "-Werror", *map(str, files[start:start + 50])],
                              capture_output=True, text=True, cwd=root)
        problems += sorted({line.split(": error:")[0] for line in done.stderr.splitlines() if ": error:" in line})
    print("\n".join(problems))
    print(f"{len(files)} files, {len(problems)} problems; ./dev format mends the format")
    return 1 if problems or not files else 0


if __name__ == "__main__":
    sys.exit(main())
