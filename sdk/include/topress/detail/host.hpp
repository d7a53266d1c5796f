// The host this plugin was loaded into, and the function tables it hands out.
#pragma once

#include <topress/abi.h>
#include <topress/detail/error.hpp>

#include <string>

namespace topress {
namespace detail {

/// Set once at init, before any other code of the plugin runs. Hidden: one for each library, even
/// when several are loaded.
[[gnu::visibility("hidden")]] inline const topress_host* g_host = nullptr;

}  // namespace detail

/// The host. Throws PluginError{UNSUPPORTED} before init.
inline const topress_host& host() {
    if (detail::g_host == nullptr) {
        throw PluginError(TOPRESS_ERROR_UNSUPPORTED,
                          "the plugin has not been initialised by a host");
    }
    return *detail::g_host;
}

/// The table of an interface ("topress.model/1").
/// Throws: PluginError{UNSUPPORTED} when this host has none, or an older one with fewer entries.
template <class Table>
const Table& table(const char* id) {
    const auto* found = static_cast<const Table*>(host().get_interface(id));
    if (found == nullptr) {
        throw PluginError(TOPRESS_ERROR_UNSUPPORTED,
                          std::string("this host (") + host().version + ") offers no '" + id + "'");
    }
    if (found->struct_size < sizeof(Table)) {
        throw PluginError(TOPRESS_ERROR_UNSUPPORTED,
                          std::string("this host (") + host().version + ") has an older '" + id +
                              "' with fewer functions");
    }
    return *found;
}

}  // namespace topress
