"""The C ABI that a compiler makes of <topress/abi.h>, as text: what tests/abi/check_baseline.py compares.

The header is compiled alone with debug information; sizes, offsets and types come from its DWARF (read with
readelf), macros from the preprocessor. Parameter names, comments and formatting are no part of the ABI.
"""
import re
import subprocess
import tempfile
import pathlib

PREFIXES = ("topress_", "TOPRESS_")
# Not part of what a plugin may rely on: the include guard, what the compiler is told, the version itself.
NOT_COMPARED = ("TOPRESS_ABI_H", "TOPRESS_EXPORT", "TOPRESS_ABI_MAJOR", "TOPRESS_ABI_MINOR")
# "<25> DW_AT_name : (strp) (offset: 0x670): text": the form in brackets is only in newer readelf versions, the
# offset only where the text is kept in the string section.
ATTRIBUTE = re.compile(r"\s*<[0-9a-f]+>\s+(DW_AT_\w+)\s*:\s*(?:\([a-z]+[0-9_a-z]*\)\s+)?"
                       r"(?:\((?:indirect[^()]*)?offset: 0x[0-9a-f]+\): )?(.*?)\s*$")
QUALIFIERS = {"DW_TAG_const_type": "const", "DW_TAG_volatile_type": "volatile"}


class Die:
    """One debugging information entry."""

    def __init__(self, tag):
        self.tag, self.attributes, self.children = tag, {}, []

    def get(self, name):
        return self.attributes.get(name)

    def number(self, name):
        value = self.get(name)
        return int(value.split()[0], 0) if value is not None else 0


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
    return done.stdout


def read_dwarf(text):
    """The tree of `readelf --debug-dump=info`: (root, {offset: Die})."""
    root, by_offset, stack = None, {}, []
    for line in text.splitlines():
        opened = re.match(r"\s*<(\d+)><([0-9a-f]+)>: Abbrev Number: \d+ \((DW_TAG_\w+)\)", line)
        attribute = ATTRIBUTE.match(line)
        if opened:
            depth, die = int(opened[1]), Die(opened[3])
            by_offset[int(opened[2], 16)] = die
            del stack[depth:]
            if stack:
                stack[-1].children.append(die)
            root = root or die
            stack.append(die)
        elif attribute and stack:
            stack[-1].attributes[attribute[1]] = attribute[2]
    return root, by_offset


class Types:
    """Spells types the way a C programmer would read them."""

    def __init__(self, by_offset):
        self.by_offset = by_offset

    def of(self, die):
        reference = die.get("DW_AT_type")
        return self.by_offset[int(re.match(r"<(0x[0-9a-f]+)>", reference)[1], 16)] if reference else None

    def spell(self, die):
        if die is None:
            return "void"
        name = die.get("DW_AT_name")
        if die.tag == "DW_TAG_pointer_type":
            target = self.of(die)
            return self.signature(target) if self.is_function(target) else self.spell(target) + "*"
        if die.tag in QUALIFIERS:
            target = self.of(die)
            is_pointer = target is not None and target.tag == "DW_TAG_pointer_type"
            return f"{self.spell(target)} {QUALIFIERS[die.tag]}" if is_pointer else f"{QUALIFIERS[die.tag]} {self.spell(target)}"
        if die.tag == "DW_TAG_array_type":
            counts = [child.number("DW_AT_count") or child.number("DW_AT_upper_bound") + 1 for child in die.children]
            return self.spell(self.of(die)) + "".join(f"[{count}]" for count in counts)
        if name is None:
            raise SystemExit(f"a type without a name crosses the boundary ({die.tag})")
        return name

    @staticmethod
    def is_function(die):
        return die is not None and die.tag == "DW_TAG_subroutine_type"

    def signature(self, die):
        parameters = [self.spell(self.of(child)) for child in die.children if child.tag == "DW_TAG_formal_parameter"]
        parameters += ["..." for child in die.children if child.tag == "DW_TAG_unspecified_parameters"]
        return f"{self.spell(self.of(die))} (*)({', '.join(parameters) or 'void'})"


def ours(die):
    return (die.get("DW_AT_name") or "").startswith(PREFIXES)


def describe_struct(die, types):
    if die.get("DW_AT_declaration"):
        return []
    lines = [f"struct {die.get('DW_AT_name')} size {die.number('DW_AT_byte_size')}"]
    for member in die.children:
        if member.tag == "DW_TAG_member":
            offset = member.number("DW_AT_data_member_location")
            lines.append(f"  {offset:4} {member.get('DW_AT_name')}: {types.spell(types.of(member))}")
    return lines


def describe_macros(compiler, include):
    text = run([compiler, "-E", "-dM", "-x", "c", "-std=c11", f"-I{include}", "-include", "topress/abi.h", "/dev/null"])
    macros = dict(re.findall(r"^#define (TOPRESS_\w+) (.+)$", text, re.M))
    version = f"{macros['TOPRESS_ABI_MAJOR']}.{macros['TOPRESS_ABI_MINOR']}"
    return version, sorted(f"macro {name} {value}" for name, value in macros.items() if name not in NOT_COMPARED)


def describe(compiler, include):
    """The ABI as lines: version, macros, constants, types, structs in the order of the header."""
    with tempfile.TemporaryDirectory() as folder:
        source, thing = pathlib.Path(folder) / "abi.c", pathlib.Path(folder) / "abi.o"
        source.write_text("#include <topress/abi.h>\n")
        run([compiler, "-std=c11", "-gdwarf-4", "-O0", "-fno-eliminate-unused-debug-types", f"-I{include}", "-c", str(source),
             "-o", str(thing)])
        root, by_offset = read_dwarf(run(["readelf", "--debug-dump=info", "--wide", str(thing)]))
    types = Types(by_offset)
    version, macros = describe_macros(compiler, include)
    constants, names, structs = [], [], []
    for die in root.children:
        if die.tag == "DW_TAG_enumeration_type":
            constants += [f"constant {child.get('DW_AT_name')} {child.number('DW_AT_const_value')}" for child in die.children]
        elif die.tag == "DW_TAG_typedef" and ours(die):
            target = types.of(die)
            if target.tag == "DW_TAG_structure_type":
                if target.get("DW_AT_declaration"):
                    names.append(f"opaque {die.get('DW_AT_name')}")
            else:
                names.append(f"type {die.get('DW_AT_name')} {types.spell(target)}")
        elif die.tag == "DW_TAG_structure_type" and ours(die):
            structs += describe_struct(die, types)
    return [f"abi {version}", *macros, *sorted(constants), *sorted(names), *structs]
