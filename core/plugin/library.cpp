// Opening a plugin: Boost.DLL, the gates once more from the inside, init, the table of techniques.
#include "plugin/library.hpp"

#include <cstring>
#include <dlfcn.h>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#define BOOST_DLL_USE_STD_FS
#include "plugin/foreign_text.hpp"
#include "plugin/gate.hpp"
#include "plugin/note.hpp"
#include "plugin/process_state.hpp"

#include <boost/dll/shared_library.hpp>

namespace topress::plugin {

namespace {

using SharedLibrary = boost::dll::shared_library;

// dlerror() starts with the path, which the error names already.
std::string loader_message(const std::string& path) {
    const char* text = ::dlerror();
    std::string message = text == nullptr ? "unknown reason" : text;
    const std::string prefix = path + ": ";
    return message.starts_with(prefix) ? message.substr(prefix.size()) : message;
}

std::string hint_for(std::string_view message) {
    if (message.find("undefined symbol") != std::string_view::npos) {
        return "link the library that defines the symbol; topress_add_plugin() refuses undefined "
               "ones";
    }
    if (message.find("cannot open shared object file") != std::string_view::npos) {
        return "install the named library, or link it statically into the plugin";
    }
    return "build the plugin again with the SDK of this topress";
}

[[noreturn]] void throw_refusal(const Refusal& refusal, const std::filesystem::path& path) {
    throw to_error(refusal, path.string());
}

// What opening and starting do to the process happens once. So the answer to it stays: asked again,
// the loader runs no code and everything would look well.
template <class Act>
void judge_once(const void* subject, const Act& act) {
    static std::map<const void*, Error> refused;
    if (const auto found = refused.find(subject); found != refused.end()) {
        throw Error(found->second);
    }
    try {
        act();
    } catch (const Error& error) {
        refused.emplace(subject, error);
        throw;
    }
}

// Never closed: autograd graphs and function pointers may outlive every use of the plugin. The
// handles stay reachable so that leak checkers do not count them.
const SharedLibrary& open_for_good(const std::filesystem::path& path) {
    static auto& opened = *new std::vector<const SharedLibrary*>;
    const ProcessState state;
    const std::set<int> threads = thread_numbers();
    std::error_code error;
    const auto mode = boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local;
    auto* library = new SharedLibrary(path, error, mode);
    opened.push_back(library);
    if (error) {
        const std::string message = loader_message(path.string());
        throw Error("plugin/cannot-load",
                    "the plugin cannot be opened: " + message,
                    path.string(),
                    hint_for(message));
    }
    judge_once(library->native(), [&] {
        for (const auto& change : {state.restore("opening the plugin"),
                                   find_new_threads(threads, "opening the plugin")}) {
            if (change) {
                throw_refusal(*change, path);
            }
        }
    });
    return *library;
}

const topress_entry& find_entry(const SharedLibrary& library, const std::filesystem::path& path) {
    if (!library.has(TOPRESS_ENTRY_SYMBOL)) {
        throw_refusal({"plugin/missing-symbol",
                       "the library has no plugin entry",
                       "no symbol '" TOPRESS_ENTRY_SYMBOL "'",
                       "one exported symbol of that name",
                       {},
                       "build it with topress_add_plugin(), which makes the entry"},
                      path);
    }
    return library.get<const topress_entry>(TOPRESS_ENTRY_SYMBOL);
}

[[noreturn]] void throw_bad_entry(const std::string& found,
                                  const std::string& expected,
                                  const std::filesystem::path& path) {
    throw_refusal({"plugin/bad-entry",
                   "the plugin entry is not one this topress can read",
                   found,
                   expected,
                   {},
                   "build the plugin again with topress_add_plugin()"},
                  path);
}

// The magic number vouches for the next fields, the size for all others.
void check_entry(const topress_entry& entry,
                 const topress_fingerprint& host,
                 const std::filesystem::path& path) {
    if (entry.magic != TOPRESS_ENTRY_MAGIC) {
        throw_bad_entry("another magic number", "that of <topress/abi.h>", path);
    }
    if (entry.struct_size < sizeof(topress_entry)) {
        throw_bad_entry("an entry of " + std::to_string(entry.struct_size) + " bytes",
                        "at least " + std::to_string(sizeof(topress_entry)),
                        path);
    }
    if (entry.metadata == nullptr || entry.fingerprint == nullptr || entry.init == nullptr ||
        entry.get_interface == nullptr) {
        throw_bad_entry("a null pointer", "metadata, fingerprint, init and get_interface", path);
    }
    if (const auto refusal =
            check_build(entry.abi_major, entry.abi_minor, *entry.fingerprint, host)) {
        throw_refusal(*refusal, path);
    }
}

// Planning used the note, running uses the entry: they must be one and the same.
void check_metadata(const topress_entry& entry, const std::filesystem::path& path) {
    const NoteReading reading = read_notes(path);
    const bool is_same =
        reading.notes && reading.notes->metadata.size() == entry.metadata_size &&
        std::memcmp(reading.notes->metadata.data(), entry.metadata, entry.metadata_size) == 0;
    if (!is_same) {
        throw_refusal({"plugin/metadata-mismatch",
                       "the metadata in the file is not that of the loaded plugin",
                       std::to_string(entry.metadata_size) + " bytes in the entry",
                       std::to_string(reading.notes ? reading.notes->metadata.size() : 0) +
                           " equal bytes, as in the note",
                       "entry and note are the same plugin.toml",
                       "build the plugin again with topress_add_plugin(); do not edit the library"},
                      path);
    }
}

[[noreturn]] void throw_init_failed(const std::string& message,
                                    const std::string& where,
                                    const std::filesystem::path& path) {
    throw Error("plugin/init-failed",
                "the plugin could not start: " + message,
                where.empty() ? path.string() : where,
                "see the plugin's documentation, or take it out of the plugin path");
}

// A plugin in C++ without the SDK's trampolines may throw across the boundary.
template <class Function>
auto call_plugin(const char* name, const std::filesystem::path& path, Function function) {
    try {
        return function();
    } catch (...) {
        throw_init_failed(std::string("an exception left its ") + name, {}, path);
    }
}

void initialise(const topress_entry& entry,
                const topress_host& host,
                const std::filesystem::path& path) {
    topress_error error{};
    error.struct_size = sizeof(error);
    const ProcessState state;
    const topress_status status =
        call_plugin("init()", path, [&] { return entry.init(&host, &error); });
    const auto change = state.restore("starting the plugin");
    if (status != TOPRESS_OK) {
        const std::string message = plain_text(error.message);
        throw_init_failed(
            message.empty() ? "status " + std::to_string(status) + " without a message" : message,
            plain_text(error.where),
            path);
    }
    if (change) {
        throw_refusal(*change, path);
    }
}

const topress_techniques_v1& find_techniques(const topress_entry& entry,
                                             const std::filesystem::path& path) {
    const auto* table = static_cast<const topress_techniques_v1*>(call_plugin(
        "get_interface()", path, [&] { return entry.get_interface(TOPRESS_TECHNIQUES_1); }));
    const bool is_known = table != nullptr && table->struct_size >= sizeof(topress_techniques_v1);
    const bool is_whole = is_known && table->create != nullptr && table->destroy != nullptr &&
                          table->configure != nullptr && table->apply != nullptr;
    if (!is_whole) {
        throw_refusal(
            {"plugin/missing-interface",
             "the plugin offers no techniques this topress can use",
             table == nullptr ? "no '" TOPRESS_TECHNIQUES_1 "'"
             : is_known       ? "a table with a null function"
                              : "a table of " + std::to_string(table->struct_size) + " bytes",
             "'" TOPRESS_TECHNIQUES_1 "' of at least " +
                 std::to_string(sizeof(topress_techniques_v1)) + " bytes, without null functions",
             {},
             "name the techniques in TOPRESS_PLUGIN(...)"},
            path);
    }
    return *table;
}

}  // namespace

Library Library::load(const CatalogEntry& entry,
                      const topress_host& host,
                      const topress_fingerprint& fingerprint) {
    if (entry.verdict != Verdict::Loadable) {
        throw DiagnosticError({entry.refusal});
    }
    Library library;
    library.id_ = entry.metadata->id;
    library.path_ = entry.path;
    library.entry_ = &find_entry(open_for_good(entry.path), entry.path);
    check_entry(*library.entry_, fingerprint, entry.path);
    check_metadata(*library.entry_, entry.path);
    // A plugin is initialised once in a process, however often it is asked for.
    static std::map<const topress_entry*, Library> loaded;
    if (const auto found = loaded.find(library.entry_); found != loaded.end()) {
        return found->second;
    }
    judge_once(library.entry_, [&] { initialise(*library.entry_, host, entry.path); });
    library.techniques_ = &find_techniques(*library.entry_, entry.path);
    loaded.emplace(library.entry_, library);
    return library;
}

void Library::quiesce() const {
    if (entry_->quiesce != nullptr) {
        entry_->quiesce();
    }
}

}  // namespace topress::plugin
