# Build-time script: plugin.toml -> a C++ file with the metadata note and the plugin's entry.
# Variables: METADATA (checked before by topress-metadata), OUTPUT.
file(SIZE "${METADATA}" size)
if(size EQUAL 0 OR size GREATER 1048576)
  message(FATAL_ERROR "${METADATA}: the metadata must have between 1 byte and 1 MiB, it has ${size}")
endif()

file(READ "${METADATA}" hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
# Eight bytes a line: some tools dislike very long ones.
set(byte "0x[0-9a-f][0-9a-f],")
string(REGEX REPLACE "(${byte}${byte}${byte}${byte}${byte}${byte}${byte}${byte})" "\\1\n" bytes "${bytes}")
file(WRITE "${OUTPUT}" "// Generated from plugin.toml: the metadata note and the entry, over the same bytes.
#include <topress/detail/entry.hpp>

namespace {
struct Metadata {
    std::uint8_t bytes[${size}];
};

__attribute__((section(\".note.topress\"), used, aligned(4)))
const topress::detail::Note<Metadata> metadata_note = {
    sizeof(TOPRESS_NOTE_NAME), sizeof(Metadata), TOPRESS_NOTE_TYPE, TOPRESS_NOTE_NAME, {{
${bytes}}}};
}  // namespace

extern \"C\" {
TOPRESS_EXPORT extern const topress_entry topress_plugin_entry;
const topress_entry topress_plugin_entry = {
    TOPRESS_ENTRY_MAGIC,
    sizeof(topress_entry),
    TOPRESS_ABI_MAJOR,
    TOPRESS_ABI_MINOR,
    metadata_note.content.bytes,
    sizeof(Metadata),
    &topress_plugin_abi_note.content.fingerprint,
    &topress_plugin_init,
    &topress_plugin_quiesce,
    &topress_plugin_get_interface,
};
}
")
