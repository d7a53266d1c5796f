#!/usr/bin/env python3
"""Makes members of the zoo from good libraries: one damage each, at the place its name says.

Usage: make_members.py GOOD MISSING_LIBRARY FOLDER"""
import pathlib
import struct
import sys

# Fields of the ELF header (offset, format) and of a program header.
HEADER = {"class": (4, "<B"), "data": (5, "<B"), "type": (16, "<H"), "machine": (18, "<H"), "phoff": (32, "<Q"),
          "shoff": (40, "<Q"), "phentsize": (54, "<H"), "phnum": (56, "<H"), "shnum": (60, "<H")}
SEGMENT = {"type": (0, "<I"), "flags": (4, "<I"), "offset": (8, "<Q"), "filesz": (32, "<Q"), "memsz": (40, "<Q"),
           "align": (48, "<Q")}
SEGMENT_SIZE = 56
PT_LOAD, PT_DYNAMIC, PT_NOTE, PT_GNU_STACK, PT_GNU_RELRO = 1, 2, 4, 0x6474E551, 0x6474E552
DT_NEEDED, DT_STRTAB, DT_SYMTAB, DT_STRSZ, DT_GNU_HASH = 1, 5, 6, 10, 0x6FFFFEF5
HUGE = 2**64 - 8
MIB = 1 << 20


class Library:
    """Bytes of a library with named access; every change must hit something."""

    def __init__(self, data):
        self.data = bytearray(data)

    def _at(self, base, place):
        offset, form = place
        return base + offset, form

    def get(self, name, base=0, fields=None):
        at, form = self._at(base, (fields or HEADER)[name])
        return struct.unpack_from(form, self.data, at)[0]

    def set(self, name, value, base=0, fields=None):
        at, form = self._at(base, (fields or HEADER)[name])
        struct.pack_into(form, self.data, at, value)
        return self

    def segments(self, kind):
        start = self.get("phoff")
        all_of_them = [start + i * SEGMENT_SIZE for i in range(self.get("phnum"))]
        found = [at for at in all_of_them if self.get("type", at, SEGMENT) == kind]
        assert found, f"no segment of type {kind:#x}"
        return found

    def set_segment(self, kind, **fields):
        for name, value in fields.items():
            self.set(name, value, self.segments(kind)[0], SEGMENT)
        return self

    def replace(self, old, new):
        assert len(old) == len(new) and self.data.count(old) >= 1, old
        self.data = self.data.replace(old, new)
        return self

    def cut(self, size):
        self.data = self.data[:size]
        return self

    def note(self, kind):
        """Where the content of our note of a type begins."""
        at = self.data.find(struct.pack("<I", kind) + b"topress\0")
        assert at >= 0
        return at + 12

    def patch(self, at, form, value):
        struct.pack_into(form, self.data, at, value)
        return self

    def set_dynamic(self, tag, value):
        at = self.get("offset", self.segments(PT_DYNAMIC)[0], SEGMENT)
        while True:
            found, _ = struct.unpack_from("<QQ", self.data, at)
            if found == tag:
                return self.patch(at + 8, "<Q", value)
            assert found != 0, f"no dynamic entry {tag}"
            at += 16

    def append_notes(self, content):
        """Turns a segment the loader can do without into a second note segment behind the file."""
        at = self.segments(PT_GNU_RELRO)[0]
        for name, value in (("type", PT_NOTE), ("offset", len(self.data)), ("filesz", len(content)),
                            ("memsz", len(content)), ("align", 4)):
            self.set(name, value, at, SEGMENT)
        self.data += content
        return self


def note(kind, content):
    padded = content + b"\0" * (-len(content) % 4)
    return struct.pack("<III", 8, len(content), kind) + b"topress\0" + padded


# Members of a topress_abi_note and of a topress_entry.
NOTE_SIZE, NOTE_MAJOR, FINGERPRINT = 0, 4, 16
CXX11_ABI, SIZE_OF_TENSOR = FINGERPRINT + 4, FINGERPRINT + 8
ENTRY_MAGIC = struct.pack("<Q", 0x31535345525004F5)


def make(good, missing):
    """Name -> bytes of every member."""
    def library():
        return Library(good)

    def build_note(offset, value):
        return library().patch(library().note(2) + offset, "<I", value)

    def text(old, new):
        return library().replace(old.encode(), new)

    size = len(good)
    notes_at = library().get("offset", library().segments(PT_NOTE)[0], SEGMENT)
    build = good[library().note(2):library().note(2) + 120]
    stack = library().segments(PT_GNU_STACK)[0]
    code = next(at for at in library().segments(PT_LOAD) if library().get("flags", at, SEGMENT) & 1)
    entry = good.find(ENTRY_MAGIC)
    assert entry > 0
    return {
        # no library of this machine
        "empty_file": library().cut(0),
        "elf_32_bit": library().set("class", 1),
        "elf_big_endian": library().set("data", 2),
        "other_machine": library().set("machine", 243),
        "object_file": library().set("type", 1),
        # cut off, or tables that leave the file
        "cut_in_mark": library().cut(3),
        "cut_in_header": library().cut(40),
        "cut_in_program_headers": library().cut(64 + SEGMENT_SIZE + 9),
        "cut_in_notes": library().cut(notes_at + 20),
        "cut_in_half": library().cut(size // 2),
        "cut_last_byte": library().cut(size - 1),
        "program_headers_wrap": library().set("phoff", HUGE),
        "many_program_headers": library().set("phnum", 0xFFFF),
        "sections_outside": library().set("shoff", HUGE),
        "segment_wraps": library().set_segment(PT_LOAD, offset=HUGE),
        "segment_of_all_memory": library().set_segment(PT_LOAD, filesz=HUGE, memsz=HUGE),
        "no_dynamic_section": library().set_segment(PT_DYNAMIC, type=0),
        "names_outside": library().set_dynamic(DT_STRTAB, HUGE),
        "names_of_all_memory": library().set_dynamic(DT_STRSZ, HUGE),
        "symbols_outside": library().set_dynamic(DT_SYMTAB, HUGE),
        "hash_outside": library().set_dynamic(DT_GNU_HASH, size * 4),
        # notes
        "two_metadata_notes": library().append_notes(note(1, b"schema = 1\n")),
        "two_build_notes": library().append_notes(note(2, build.replace(b"release", b"debug\0\0"))),
        "note_of_2_mib": library().append_notes(note(1, b"#" * (2 * MIB))),
        "note_size_wraps": library().patch(library().note(1) - 16, "<I", 0xFFFFFFFF),
        "small_note_size": build_note(NOTE_SIZE, 24),
        "note_size_beyond_note": build_note(NOTE_SIZE, 4096),
        # metadata
        "metadata_is_json": text('schema = 1\n[plugin]', b'{"schema": 1, "a":1'),
        "metadata_is_not_utf8": text("A fixture", b"A f\xff\xfeture"),
        "metadata_has_zero": text("A fixture", b"A f\0xture"),
        "schema_99": text("schema = 1\n", b"schema =99\n"),
        "bad_id": text("org.topress.fixture.good", b"../../topress/fixture/no"),
        "default_out_of_range": text("default = 1.0", b"default =-1.0"),
        "unknown_granularity": text('"weight"', b'"planet"'),
        # how it was built
        "other_major": build_note(NOTE_MAJOR, 2).patch(entry + 12, "<H", 2),
        "other_major_in_entry": text("fixture.good", b"fixture.maje").patch(entry + 12, "<H", 2),
        "other_torch": text("0.0.0-fixture", b"2.10.9\0\0\0\0\0\0\0"),
        "debug_flavour": text("release\0", b"debug\0\0\0"),
        "other_standard_library": text("libstdc++\0", b"libc++\0\0\0\0"),
        "other_string_abi": build_note(CXX11_ABI, 0),
        "other_tensor_size": build_note(SIZE_OF_TENSOR, 16),
        # what the loader would be asked
        "no_stack_header": library().set("type", 0, stack, SEGMENT),
        "writable_code": library().set("flags", 7, code, SEGMENT),
        "needed_by_path": Library(missing).replace(b"libzoo_missing.so", b"./bzoo_missing.so"),
        "not_elf_script": Library(b"#!/bin/sh\nrm -rf never\n"),
    }


def main():
    good, missing, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.so"):
        old.unlink()
    members = make(pathlib.Path(good).read_bytes(), pathlib.Path(missing).read_bytes())
    for name, library in members.items():
        (folder / f"{name}.so").write_bytes(library.data)


if __name__ == "__main__":
    main()
