#!/usr/bin/env python3
"""docs/abi-reference.md is what the comments of <topress/abi.h> say, and every public entry has a comment.

TOPRESS_UPDATE_GOLDEN=1 rewrites the page.
"""
import os
import pathlib
import re
import sys

import abi_header

OPENING = """# ABI reference

<!-- Written by tests/lint/check_abi_reference.py from the comments of sdk/include/topress/abi.h. Change the header and
     run the script with TOPRESS_UPDATE_GOLDEN=1 instead of editing this page. -->

Every struct, table, function and constant of `<topress/abi.h>`, ABI version {version}. The rules they all follow, and what a later
version may change, are in [abi.md](abi.md); C++ authors use the views of [sdk.md](sdk.md) instead.

*Slot* is the position in the struct, from 0 on: it is part of the ABI and never changes. *Since* is the ABI version that added the
entry. *State* says on which thread and when a function may be called. `struct_size` is the size of the struct in bytes, as the side
that filled it knows it; `reserved` is zero.
"""
IMPLICIT = {"struct_size": "size in bytes", "reserved": "0"}


def cell(text):
    """Text that cannot end a table cell or be taken for a tag."""
    return escape(text).replace("|", "\\|").replace("\n", " ")


def escape(text):
    """C names become code; what else Markdown would take for a tag or for emphasis is escaped."""
    parts = re.split(r"(`[^`]*`)", text)
    for index in range(0, len(parts), 2):
        words = re.sub(r"(?<![\w:])((?:at::|c10::)\w+|\w*[a-zA-Z0-9]_\w+|_\w+)(?![\w:])", r"`\1`", parts[index])
        outside = re.split(r"(`[^`]*`)", words)
        outside[::2] = [re.sub(r"([<*_])", r"\\\1", part) for part in outside[::2]]
        parts[index] = "".join(outside)
    return "".join(parts)


def code_block(declaration):
    """The declaration, one parameter a line when it would be long."""
    if len(declaration) <= 100:
        return ["```c", declaration + ";", "```"]
    head, _, rest = declaration.rpartition(")(")
    parameters = rest[:-1].split(", ")
    lines = [f"    {parameter}," for parameter in parameters]
    return ["```c", head + ")(", *lines[:-1], lines[-1][:-1] + ");", "```"]


def anchor(title):
    """The anchor that a heading gets."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def render_struct(block):
    head = block.head
    lines = [f"### `{head.name}`", ""]
    lines += [escape(head.comment), ""]
    lines += ["| slot | entry | since | |", "|---|---|---|---|"]
    for slot, entry in enumerate(block.entries):
        text = entry.comment or IMPLICIT.get(entry.name, "")
        if entry.is_function():
            name = f"[`{entry.name}`](#{anchor(head.name + ' ' + entry.name)})"
            text = f"function, {entry.state or head.state}"
        else:
            name = f"`{entry.declaration}`"
        lines.append(f"| {slot} | {name} | {entry.since} | {cell(text)} |")
    heading = ""
    for slot, entry in enumerate(block.entries):
        if entry.heading != heading:
            heading = entry.heading
            lines += ["", escape(heading)]
        if entry.is_function():
            lines += ["", f"#### `{head.name}` `{entry.name}`", "", *code_block(entry.declaration), ""]
            lines.append(escape(entry.comment))
            lines += ["", f"Slot {slot}. Since {entry.since}. State: {entry.state or head.state}."]
    return lines + [""]


def render_function_type(block):
    head = block.head
    return [f"### `{head.name}`", "", *code_block(head.declaration), "", escape(head.comment), "",
            f"Since {head.since}. State: {head.state}.", ""]


def render_table(blocks):
    """Constants, opaque types and plain types of a section."""
    rows = []
    for block in blocks:
        if block.kind == "enum":
            rows += [(f"`{entry.name}` = {entry.declaration}", entry) for entry in block.entries]
        elif block.kind == "define":
            rows.append((f"`{block.head.name}` = `{block.head.declaration}`", block.head))
        else:
            rows.append((f"`{block.head.declaration}`", block.head))
    lines = ["| | since | |", "|---|---|---|"]
    return lines + [f"| {name} | {entry.since} | {cell(entry.comment)} |" for name, entry in rows] + [""]


def render(text):
    """The whole page."""
    defines = dict(re.findall(r"^#define TOPRESS_ABI_(MAJOR|MINOR) (\d+)", text, re.M))
    lines = OPENING.format(version=f"{defines['MAJOR']}.{defines['MINOR']}").split("\n")
    for section in abi_header.sections(text):
        title = section.title if section.title.startswith("topress.") else section.title[0].upper() + section.title[1:]
        lines += [f"## {title}", ""]
        if section.comment:
            lines += [escape(section.comment), ""]
        plain = []
        for block in section.blocks:
            if block.kind == "enum" and block.head.comment:
                lines += [escape(block.head.comment), "", *render_table([block])]
            elif block.kind in ("struct", "function"):
                lines += render_table(plain) if plain else []
                plain = []
                lines += render_struct(block) if block.kind == "struct" else render_function_type(block)
            else:
                plain.append(block)
        lines += render_table(plain) if plain else []
    return "\n".join(lines).rstrip() + "\n"


def missing_comments(text):
    """One line for everything that an author would have to guess."""
    problems = []
    for section in abi_header.sections(text):
        for block in section.blocks:
            head = block.head
            if block.kind != "enum" and not head.comment:
                problems.append(f"{head.name} has no comment")
            if block.kind == "function" and not head.state:
                problems.append(f"{head.name} does not say when it is called: [run thread]")
            for entry in block.entries:
                name = f"{head.name}::{entry.name}" if head.name else entry.name
                if not entry.comment and entry.name not in abi_header.UNDOCUMENTED:
                    problems.append(f"{name} has no comment")
                if entry.is_function() and not entry.state and not head.state:
                    problems.append(f"{name} does not say when it may be called: [run thread]")
    return problems


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    text = (root / "sdk/include/topress/abi.h").read_text()
    problems = missing_comments(text)
    page = root / "docs/abi-reference.md"
    fresh = render(text)
    if os.environ.get("TOPRESS_UPDATE_GOLDEN"):
        page.write_text(fresh)
    if not page.exists() or page.read_text() != fresh:
        problems.append("docs/abi-reference.md is not what the header says: run "
                        "TOPRESS_UPDATE_GOLDEN=1 python3 tests/lint/check_abi_reference.py")
    count = sum(len(block.entries) for block in abi_header.structs(text).values())
    print("\n".join(problems))
    print(f"{count} entries of {len(abi_header.structs(text))} structs, {len(problems)} problems")
    return 1 if problems or not count else 0


if __name__ == "__main__":
    sys.exit(main())
