// What the two halves of a plugin's entry share: the file generated from plugin.toml and
// TOPRESS_PLUGIN.
#pragma once

#include <topress/abi.h>

#include <cstdint>

namespace topress::detail {

/// An ELF note: header, name, content; the linker keeps it and the host reads it from the file.
template <class Content>
struct Note {
    std::uint32_t name_size;
    std::uint32_t content_size;
    std::uint32_t type;
    char name[8];
    Content content;
};

static_assert(sizeof(TOPRESS_NOTE_NAME) == 8, "the name fills its field, with its zero");

}  // namespace topress::detail

// Defined by TOPRESS_PLUGIN, used by the generated entry. Hidden: they never leave the library.
extern "C" {
[[gnu::visibility(
    "hidden")]] extern const topress::detail::Note<topress_abi_note> topress_plugin_abi_note;
[[gnu::visibility("hidden")]] topress_status topress_plugin_init(const topress_host* host,
                                                                 topress_error* error);
[[gnu::visibility("hidden")]] void topress_plugin_quiesce();
[[gnu::visibility("hidden")]] const void* topress_plugin_get_interface(const char* id);
// Defined by TOPRESS_PLUGIN_INIT and TOPRESS_PLUGIN_QUIESCE; null without them.
[[gnu::weak, gnu::visibility("hidden")]] void topress_plugin_author_init();
[[gnu::weak, gnu::visibility("hidden")]] void topress_plugin_author_quiesce();
}
