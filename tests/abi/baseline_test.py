#!/usr/bin/env python3
"""check_baseline.py gives the right verdict on changed copies of <topress/abi.h>, one change each."""
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lint"))
import abi_header  # noqa: E402

HEADER = HERE.parents[1] / "sdk/include/topress/abi.h"


def span(text, struct, member):
    entry = next(entry for entry in abi_header.structs(text)[struct].entries if entry.name == member)
    return entry.start, entry.end


def swap(text, struct, first, second):
    (a, b), (c, d) = span(text, struct, first), span(text, struct, second)
    return text[:a] + text[c:d] + text[b:c] + text[a:b] + text[d:]


def remove(text, struct, member):
    start, end = span(text, struct, member)
    return text[:start] + text[end:]


def insert(text, struct, member, declaration):
    start, _ = span(text, struct, member)
    return text[:start] + declaration + "\n    " + text[start:]


def append(text, struct, declaration):
    last = abi_header.structs(text)[struct].entries[-1].end
    return text[:last] + "\n    " + declaration + text[last:]


def within(text, struct, member, old, new):
    start, end = span(text, struct, member)
    return text[:start] + text[start:end].replace(old, new, 1) + text[end:]


def version(text, major, minor):
    text = re.sub(r"(#define TOPRESS_ABI_MAJOR) \d+", rf"\1 {major}", text)
    return re.sub(r"(#define TOPRESS_ABI_MINOR) \d+", rf"\1 {minor}", text)


NEW_ENTRY = "void (*flush)(topress_run*);"
NOTED_ENTRY = "/* Writes what is pending. [run thread; since 1.1] */\n    " + NEW_ENTRY
NEW_STRUCT = "typedef struct topress_thing {\n    uint32_t struct_size;\n} topress_thing;\n\n"
RUN = "topress_run_v1"
MODEL = "topress_model_v1"
# (what was done, how, expected verdict, text that the report must hold)
CASES = [
    ("nothing", lambda t: t + "\n", "same", ""),
    ("a comment", lambda t: t.replace("/* ---- opaque objects", "/* Other words. */\n/* ---- opaque objects"), "same", ""),
    ("a parameter renamed", lambda t: within(t, RUN, "log", "level", "severity"), "same", ""),
    ("two members of the same type swapped", lambda t: swap(t, MODEL, "node_input", "node_output"), "incompatible",
     "node_input"),
    ("a member removed", lambda t: remove(t, MODEL, "set_output"), "incompatible", "set_output"),
    ("the last member removed", lambda t: remove(t, RUN, "metric"), "incompatible", "metric"),
    ("a member inserted", lambda t: insert(t, RUN, "random", NEW_ENTRY), "incompatible", "flush"),
    ("a member renamed", lambda t: within(t, RUN, "random", "random", "draw"), "incompatible", "draw"),
    ("a result changed", lambda t: within(t, RUN, "cancelled", "int32_t", "int64_t"), "incompatible", "cancelled"),
    ("a const dropped", lambda t: within(t, RUN, "log", "const char*", "char*"), "incompatible", "log"),
    ("a parameter added", lambda t: within(t, RUN, "random", "topress_run*", "topress_run*, int32_t bits"), "incompatible",
     "random"),
    ("a field widened", lambda t: within(t, "topress_value", "type", "int32_t", "int64_t"), "incompatible", "type"),
    ("a text shortened", lambda t: within(t, "topress_error", "where", "256", "255"), "incompatible", "where"),
    ("a constant changed", lambda t: t.replace("TOPRESS_ERROR_CANCELLED = 4", "TOPRESS_ERROR_CANCELLED = 44"), "incompatible",
     "TOPRESS_ERROR_CANCELLED"),
    ("an interface id changed", lambda t: t.replace('"topress.run/1"', '"topress.run/2"'), "incompatible", "TOPRESS_RUN_1"),
    ("a type changed", lambda t: t.replace("typedef int32_t topress_status", "typedef int64_t topress_status"),
     "incompatible", "topress_status"),
    ("a callback changed", lambda t: re.sub(r"(\(\*topress_step_function\)\(\s*void\* context), ", r"\1, int32_t more, ", t),
     "incompatible", "topress_step_function"),
    ("a struct removed", lambda t: re.sub(r"typedef struct topress_fit_report \{.*?\} topress_fit_report;",
                                          "typedef struct topress_fit_report topress_fit_report;", t, flags=re.S),
     "incompatible", "the struct is gone"),
    ("the minor raised and a member removed", lambda t: version(remove(t, RUN, "metric"), 1, 1), "incompatible", "metric"),
    ("a member appended", lambda t: append(t, RUN, NEW_ENTRY), "additions without a higher minor", "topress_run_v1::flush"),
    ("a struct added", lambda t: t.replace("/* ---- opaque objects", NEW_STRUCT + "/* ---- opaque objects"),
     "additions without a higher minor", "topress_thing"),
    ("a constant added", lambda t: t.replace("TOPRESS_SPLIT_VALIDATION = 1", "TOPRESS_SPLIT_VALIDATION = 1, TOPRESS_SPLIT_X = 2"),
     "additions without a higher minor", "TOPRESS_SPLIT_X"),
    ("a member appended, minor raised, nothing said", lambda t: version(append(t, RUN, NEW_ENTRY), 1, 1),
     "additions that do not say since when", "topress_run_v1::flush"),
    ("a member appended, minor raised, a later version said", lambda t: version(
        append(t, RUN, NOTED_ENTRY.replace("since 1.1", "since 1.2")), 1, 1), "additions that do not say since when", "flush"),
    ("a member appended, minor raised, version said", lambda t: version(append(t, RUN, NOTED_ENTRY), 1, 1), "additions",
     "topress_run_v1::flush"),
    ("the major raised", lambda t: version(t, 2, 0), "no baseline for major 2: write it with TOPRESS_UPDATE_GOLDEN=1", ""),
]
PASSING = ("same", "additions")


def write(folder, text):
    include = pathlib.Path(folder) / "include/topress"
    include.mkdir(parents=True, exist_ok=True)
    (include / "abi.h").write_text(text)
    return include.parent


def check(compiler, folder, text, baseline):
    command = [sys.executable, str(HERE / "check_baseline.py"), "--compiler", compiler, "--include", str(write(folder, text)),
               "--baseline", str(baseline)]
    return subprocess.run(command, capture_output=True, text=True)


def verdict_problem(done, verdict, mention):
    if f"verdict: {verdict}\n" not in done.stdout:
        return f"expected the verdict '{verdict}'"
    if mention not in done.stdout:
        return f"the report does not mention '{mention}'"
    if (done.returncode == 0) != (verdict in PASSING):
        return f"exit status {done.returncode}"
    return None


def padding_case(compiler, folder, text):
    """A struct that ends in padding: an entry there would not change its size."""
    padded = append(text, "topress_exit", "int32_t kind;")
    baseline = pathlib.Path(folder) / "padded"
    baseline.mkdir()
    lines = subprocess.run([sys.executable, "-c", "import sys, c_abi; print('\\n'.join(c_abi.describe(*sys.argv[1:])))", compiler,
                            str(write(folder, padded))], capture_output=True, text=True, cwd=HERE, check=True).stdout
    (baseline / "abi-1.txt").write_text(lines)
    done = check(compiler, folder, append(padded, "topress_exit", "int32_t more;"), baseline)
    return verdict_problem(done, "incompatible", "padding")


def main():
    compiler = sys.argv[1] if len(sys.argv) > 1 else "cc"
    original = HEADER.read_text()
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        for name, change, verdict, mention in CASES:
            text = change(original)
            done = check(compiler, folder, text, HERE / "baseline")
            problem = "the header is unchanged" if text == original else verdict_problem(done, verdict, mention)
            if problem:
                problems.append(f"{name}: {problem}\n{done.stdout}{done.stderr}")
        problem = padding_case(compiler, folder, original)
        problems += [f"an entry in the padding: {problem}"] if problem else []
    print("\n".join(problems))
    print(f"{len(CASES) + 1} changes, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
