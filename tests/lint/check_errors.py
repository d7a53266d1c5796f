#!/usr/bin/env python3
"""Every diagnostic code in the sources has a section in docs/errors.md, and no section is orphaned."""
import pathlib
import re
import sys

AREAS = "explore|cache|config|cost|order|plan|plugin|network|zoo|data|train|file|usage|device|run|check|internal|eval|report|process|watch"
CODE = re.compile(rf'"((?:{AREAS})/[a-z0-9]+(?:-[a-z0-9]+)*)"')


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    used = {}
    for folder in ("core", "sdk/include", "plugins"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".cpp", ".hpp"):
                for code in CODE.findall(path.read_text()):
                    used.setdefault(code, path.relative_to(root))
    documented = set(re.findall(r"^### `([a-z]+/[a-z0-9-]+)`", (root / "docs/errors.md").read_text(), re.M))
    problems = [f"{code} ({used[code]}) has no section in docs/errors.md" for code in sorted(set(used) - documented)]
    problems += [f"docs/errors.md documents {code}, which nothing uses" for code in sorted(documented - set(used))]
    print("\n".join(problems))
    print(f"{len(used)} codes, {len(problems)} problems")
    return 1 if problems or not used else 0


if __name__ == "__main__":
    sys.exit(main())
