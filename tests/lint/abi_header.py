"""Reads sdk/include/topress/abi.h: its sections, structs, functions and constants, each with its comment.

Not a C parser: it knows the shape that the header keeps. A doc comment stands directly above what it
documents or behind it on the same line; a comment followed by a blank line heads the entries below it.
"""
import dataclasses
import re

BANNER = re.compile(r"^-{2,}\s+(?P<title>.*?)\s*-*$")
# The end of a comment that says from which thread and when: [main thread, once; since 1.1]
STATE = re.compile(r"\[(?P<state>[^\[\]]*\b(?:thread|init|since \d+\.\d+)\b[^\[\]]*)\]\s*$")
SINCE = re.compile(r"\bsince (\d+\.\d+)\b")
# Every struct begins with the first and may hold the second; the rules of the header explain both.
UNDOCUMENTED = ("struct_size", "reserved")


class HeaderError(Exception):
    """The header is not of the shape described above."""


@dataclasses.dataclass
class Entry:
    """A member, an enumerator or a macro. `start` and `end` are offsets of its text in the header."""
    name: str
    declaration: str
    comment: str = ""
    state: str = ""
    since: str = "1.0"
    heading: str = ""
    start: int = 0
    end: int = 0

    def is_function(self):
        return "(*" in self.declaration

    def describe(self, text):
        """Takes the text of a doc comment, split into meaning, state line and version."""
        found = STATE.search(text)
        self.comment = (text[: found.start()] if found else text).strip()
        if found:
            parts = [part.strip() for part in re.split(r"[;,]", found["state"])]
            self.state = ", ".join(part for part in parts if not SINCE.fullmatch(part))
            version = SINCE.search(found["state"])
            self.since = version[1] if version else self.since


@dataclasses.dataclass
class Block:
    """What one section holds: kind is "struct", "opaque", "enum", "function", "type" or "define"."""
    kind: str
    head: Entry
    entries: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Section:
    title: str
    comment: str
    blocks: list = dataclasses.field(default_factory=list)


TOKEN = re.compile(r"""
    (?P<comment>/\*.*?\*/)
  | (?P<directive>^[ \t]*\#(?:[^\n\\]|\\\n|\\.)*$)
  | (?P<blank>\n[ \t]*\n)
  | (?P<newline>\n)
  | (?P<code>[^\s])
""", re.S | re.M | re.X)


def plain_comment(text):
    """The words of a comment on one line per paragraph, lists kept as lines."""
    lines = [re.sub(r"^\s*\*? ?", "", line).rstrip() for line in text[2:-2].split("\n")]
    lines[0] = text[2:-2].split("\n")[0].strip()
    paragraphs = []
    for line in lines:
        starts_item = re.match(r"\s*- ", line)
        if not line.strip():
            paragraphs.append("")
        elif starts_item or not paragraphs or paragraphs[-1] == "":
            paragraphs.append(line.strip())
        else:
            paragraphs[-1] += " " + line.strip()
    return "\n".join(paragraphs).strip()


def squeeze(text):
    """A declaration on one line."""
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r"\s+([,;)])", r"\1", re.sub(r"\(\s+", "(", text))


def pieces(text, start, end, separator):
    """Yields (kind, start, end) of comments, blank lines and declarations up to `separator`."""
    begin, depth, code_end = None, 0, start
    behind = []
    position = start
    while position < end:
        found = TOKEN.match(text, position, end)
        if found is None:
            position += 1
            continue
        kind = found.lastgroup
        if kind == "code":
            character = found.group()
            if begin is None:
                begin = position
            behind, code_end = [], position + 1
            depth += character in "({"
            depth -= character in ")}"
            if character == separator and depth == 0:
                yield "declaration", begin, position + 1
                begin = None
        elif begin is None and kind != "newline":
            yield kind, found.start(), found.end()
        elif kind == "comment":
            behind.append((kind, found.start(), found.end()))
        # The newline before a blank line or a directive belongs to what follows as well.
        position = found.end() - (1 if kind == "blank" else 0)
    if begin is not None:
        # The last enumerator has no separator: the comments behind it are not part of it.
        yield "declaration", begin, code_end
        yield from behind


def documented(text, start, end, separator):
    """Yields (comment, heading, start, end) for every declaration, and (None, banner, ...) for banners."""
    above, heading, last = None, "", None
    waiting = []
    stream = list(pieces(text, start, end, separator))
    for index, (kind, begin, stop) in enumerate(stream):
        if kind == "blank":
            if above is not None:
                heading, above = plain_comment(text[above[0]:above[1]]), None
        elif kind == "comment":
            is_behind = last is not None and "\n" not in text[last:begin]
            if is_behind and waiting:
                waiting[-1][0] = plain_comment(text[begin:stop])
            else:
                above = (begin, stop)
        elif kind in ("declaration", "directive"):
            comment = plain_comment(text[above[0]:above[1]]) if above else ""
            waiting.append([comment, heading, begin, stop, kind])
            above, last = None, stop
    return [tuple(item) for item in waiting]


def entries_of(text, start, end, separator, name_of):
    """The members or enumerators between two braces."""
    result = []
    for comment, heading, begin, stop, kind in documented(text, start, end, separator):
        if kind != "declaration":
            continue
        declaration = squeeze(text[begin:stop].rstrip(separator))
        for name, single in name_of(declaration):
            entry = Entry(name, single, heading=heading, start=begin, end=stop)
            entry.describe(comment)
            result.append(entry)
    return result


def members_of_declaration(declaration):
    """[(name, its own declaration)]: one for each declarator of `uint32_t channels, height, width`."""
    function = re.search(r"\(\*\s*(\w+)\)", declaration)
    if function:
        return [(function[1], declaration)]
    found = re.fullmatch(r"(?P<type>.*?[\s*])(?P<names>\w+(?:\[\w+\])?(?:, \w+(?:\[\w+\])?)*)", declaration)
    if not found:
        raise HeaderError(f"cannot read the member '{declaration}'")
    return [(re.match(r"\w+", name)[0], found["type"] + name) for name in found["names"].split(", ")]


def enumerators_of_declaration(declaration):
    name, _, value = declaration.partition(" = ")
    return [(name, value)]


def read_block(text, comment, begin, stop):
    """The block that one declaration at file level makes, or None for what has no place in the page."""
    code = text[begin:stop]
    head = Entry("", squeeze(code).rstrip(";"), start=begin, end=stop)
    head.describe(comment)
    body = code.find("{")
    if code.startswith(("typedef struct", "enum")) and body >= 0:
        first, last = begin + body + 1, begin + code.rfind("}")
        if code.startswith("enum"):
            return Block("enum", head, entries_of(text, first, last, ",", enumerators_of_declaration))
        head.name = re.search(r"\}\s*(\w+);$", code)[1]
        return Block("struct", head, entries_of(text, first, last, ";", members_of_declaration))
    opaque = re.fullmatch(r"typedef struct (\w+) (\w+)", head.declaration)
    function = re.search(r"\(\*(\w+)\)", head.declaration)
    if opaque:
        head.name = opaque[2]
        return Block("opaque", head)
    if not code.startswith("typedef"):
        raise HeaderError(f"cannot read '{head.declaration[:60]}'")
    head.name = function[1] if function else head.declaration.split()[-1]
    return Block("function" if function else "type", head)


def sections(text):
    """The header as a list of sections."""
    opening = text.index("#endif", text.index('extern "C"'))
    start = text.index("\n", opening)
    end = text.rindex("#ifdef __cplusplus")
    result = [Section("Versions and names", "")]
    banners = {}
    for found in re.finditer(r"/\* -{2,}.*?\*/", text, re.S):
        title, _, comment = found.group()[2:-2].strip().partition("\n")
        banner = BANNER.match(title.strip())
        if banner is None:
            raise HeaderError(f"cannot read the section title '{title.strip()}'")
        banners[found.start()] = (found.end(), banner["title"], plain_comment("/*\n" + comment + "*/"))
    borders = sorted(banners) + [end]
    result[0].blocks = blocks_of(text, start, borders[0])
    for begin, stop in zip(borders, borders[1:]):
        after, title, comment = banners[begin]
        result.append(Section(title, comment, blocks_of(text, after, stop)))
    return result


def blocks_of(text, start, end):
    blocks = []
    is_conditional = False
    for comment, _, begin, stop, kind in documented(text, start, end, ";"):
        code = text[begin:stop]
        if kind == "directive":
            is_conditional = (is_conditional or code.startswith("#if")) and not code.startswith("#endif")
            define = re.match(r"#define (\w+) (.*)", code)
            if define and not is_conditional:
                entry = Entry(define[1], define[2].strip(), start=begin, end=stop)
                entry.describe(comment)
                blocks.append(Block("define", entry))
            continue
        blocks.append(read_block(text, comment, begin, stop))
    return blocks


def structs(text):
    """{name: Block} of every struct of the header."""
    return {block.head.name: block for section in sections(text) for block in section.blocks if block.kind == "struct"}
