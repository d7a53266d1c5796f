# Runs docs/plugin-authoring.md: its commands in order in one shell, its files where it says, its outputs compared.
#
#   ```sh        is run, in one bash for the whole page, which ends at the first command that fails
#   ```cpp etc.  after a line `<!-- file: PATH -->` is written to PATH, relative to the shell's folder
#   ```text      is what the sh block before it printed: each of its lines in this order, `...` for anything
import re
import shlex
import subprocess
import sys

from workplace import BUILD, DATASET, SOURCE, environment, fresh_folder, require, with_compiler_cache

PAGE = SOURCE / "docs/plugin-authoring.md"
FENCE = re.compile(r"(?:^<!-- file: (\S+) -->\n)?^```(\w+)\n(.*?)^```$", re.M | re.S)


def blocks_of(text):
    """(file or None, language, content) of every fenced block."""
    return [(match.group(1), match.group(2), match.group(3)) for match in FENCE.finditer(text)]


def script_of(blocks):
    """One bash script; marks in its output say which block printed what."""
    parts = ["set -eu"]
    for number, (file, language, content) in enumerate(blocks):
        if file:
            parts.append(f"printf %s {shlex.quote(content)} > {shlex.quote(file)}")
        elif language == "sh":
            parts.append(f"echo '@@block {number}@@'\n{content}")
    return "\n".join(parts + ["echo '@@end@@'\n"])


def outputs_of(text):
    """Block number -> what it printed."""
    pieces = re.split(r"^@@(?:block (\d+)|end)@@\n", text, flags=re.M)
    return {int(number): printed for number, printed in zip(pieces[1::2], pieces[2::2]) if number}


def differing_line(expected, printed):
    """The first line of `expected` that does not occur in `printed` after the line before it."""
    have = [" ".join(line.split()) for line in printed.splitlines()]
    for line in expected.splitlines():
        pattern = re.escape(" ".join(line.split())).replace(r"\.\.\.", ".*")
        at = next((i for i, other in enumerate(have) if re.fullmatch(pattern, other)), None)
        if at is None:
            return line
        have = have[at + 1:]
    return None


def main():
    blocks = blocks_of(PAGE.read_text(encoding="utf-8"))
    commands = [number for number, block in enumerate(blocks) if block[1] == "sh"]
    require(len(commands) > 5, f"{PAGE} has only {len(commands)} blocks of commands")
    if not DATASET.is_dir():
        print("[SKIP] the page runs the demo, which needs dataset-fashion-mnist")
        return
    folder = fresh_folder("page")
    variables = with_compiler_cache(environment(folder, BUILD=str(BUILD)))
    done = subprocess.run(["bash", "-c", script_of(blocks)], cwd=folder, env=variables, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=800)
    print(done.stdout)
    require(done.returncode == 0, f"a command of {PAGE} ended with {done.returncode}")
    outputs = outputs_of(done.stdout)
    require(sorted(outputs) == commands, "every block of commands was run")
    for number, (_, language, content) in enumerate(blocks):
        if language == "text":
            line = differing_line(content, outputs[max(c for c in commands if c < number)])
            require(line is None, f"{PAGE} shows a line that was not printed: {line}")


def self_check():
    """This script can tell a right page from a wrong one."""
    blocks = blocks_of("<!-- file: a.txt -->\n```toml\nx = 1\n```\n\n```sh\ncat a.txt\n```\n\n```text\nx = ...\n```\n")
    require([b[:2] for b in blocks] == [("a.txt", "toml"), (None, "sh"), (None, "text")], "blocks are found")
    require(differing_line("x = ...\n", "y\nx  = 1\n") is None, "an output is recognised")
    require(differing_line("x\ny\n", "y\nx\n") == "y", "the order of lines counts")
    require(outputs_of("@@block 1@@\na\n@@block 3@@\nb\n@@end@@\n") == {1: "a\n", 3: "b\n"}, "outputs are split")


if __name__ == "__main__":
    self_check()
    sys.exit(main())
