#!/usr/bin/env python3
"""Every relative link in the Markdown files leads to a file, and its anchor to a heading; docs/README.md names every page."""
import pathlib
import re
import sys

FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.S | re.M)
LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
FOLDERS = ("docs", "sdk", "plugins", "tests", "configs")


def anchors(text):
    """The anchors that the headings of a page get on the usual Markdown hosts."""
    result, seen = set(), {}
    for heading in re.findall(r"^#{1,6}\s+(.*?)\s*#*\s*$", FENCE.sub("", text), re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        count = seen.get(slug, 0)
        seen[slug] = count + 1
        result.add(f"{slug}-{count}" if count else slug)
    return result


def links(text):
    """Targets of links outside of code."""
    return LINK.findall(re.sub(r"`[^`\n]*`(?!\])", "", FENCE.sub("", text)))


def problem_of(root, page, target):
    """What is wrong with one link, or None."""
    if re.match(r"[a-z]+:", target):
        return None
    name, _, anchor = target.partition("#")
    path = (page.parent / name).resolve() if name else page
    if not path.is_relative_to(root) or not path.exists():
        return f"leads to '{target}', which is not there"
    if anchor and path.suffix == ".md" and anchor not in anchors(path.read_text()):
        return f"leads to '{target}', but no heading of {path.relative_to(root)} gives that anchor"
    return None


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    pages = sorted(root.glob("*.md")) + [page for folder in FOLDERS for page in sorted((root / folder).rglob("*.md"))]
    problems, count = [], 0
    for page in pages:
        for target in links(page.read_text()):
            count += 1
            problem = problem_of(root, page, target)
            problems += [f"{page.relative_to(root)} {problem}"] if problem else []
    index = root / "docs/README.md"
    named = {(index.parent / target.partition("#")[0]).resolve() for target in links(index.read_text())}
    problems += [f"docs/README.md does not name {page.relative_to(root)}" for page in sorted((root / "docs").glob("*.md"))
                 if page != index and page not in named]
    print("\n".join(problems))
    print(f"{count} links in {len(pages)} pages, {len(problems)} problems")
    return 1 if problems or not count else 0


if __name__ == "__main__":
    sys.exit(main())
