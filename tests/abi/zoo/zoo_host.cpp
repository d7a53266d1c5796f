// A host in small for the zoo: lists one folder, loads and uses what it may, then the good plugin.
// Prints "list NAME CODE", for a refused one "why NAME CODE GATE" as `plugin why` would show it,
// "load NAME CODE", "use NAME CODE" (CODE "-" = went well), then "alive". Usage: zoo_host FOLDER
#include "fixtures/plugins/fingerprint.h"
#include "plugin/decision.hpp"
#include "plugin/library.hpp"

#include <cfloat>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <functional>

using namespace topress;
namespace fs = std::filesystem;

namespace {

const topress_fingerprint kFingerprint = FIXTURE_FINGERPRINT;
const topress_host kHost = {sizeof(topress_host),
                            TOPRESS_ABI_MAJOR,
                            TOPRESS_ABI_MINOR,
                            "zoo",
                            [](const char*) -> const void* { return nullptr; }};

void print(const char* phase,
           const plugin::CatalogEntry& entry,
           const std::string& code,
           const std::string& message = {}) {
    std::printf("%s %s %s %s\n",
                phase,
                entry.path.stem().c_str(),
                code.empty() ? "-" : code.c_str(),
                message.c_str());
    std::fflush(stdout);
}

bool attempt(const char* phase,
             const plugin::CatalogEntry& entry,
             const std::function<void()>& act) {
    try {
        act();
    } catch (const Error& error) {
        print(phase, entry, error.code(), error.what());
        return false;
    }
    print(phase, entry, {});
    return true;
}

void use(const plugin::Library& library, const std::string& technique) {
    plugin::TechniqueObject object(library, technique);
    object.configure({{"factor", config::GivenParameter{1.0, {}, {}}}});
    topress_stage stage{};
    stage.struct_size = sizeof(stage);
    stage.label = "stage";
    stage.device = "cpu";
    object.apply(stage);
}

bool load_and_use(const plugin::CatalogEntry& entry) {
    std::optional<plugin::Library> library;
    const auto load = [&] { library = plugin::Library::load(entry, kHost, kFingerprint); };
    // Loaded twice: init must be called once.
    return attempt("load", entry, load) && attempt("load", entry, load) &&
           attempt("use", entry, [&] { use(*library, entry.metadata->techniques.front().id); });
}

void explain(const plugin::CatalogEntry& entry, const plugin::SearchPaths& paths) {
    for (const plugin::GateReport& gate :
         plugin::explain_decision(entry, paths, kFingerprint, std::nullopt)) {
        if (gate.outcome == plugin::GateOutcome::Refused) {
            const bool is_whole = !gate.found.empty() && !gate.hint.empty();
            print("why", entry, gate.code, is_whole ? gate.gate : "nothing found, or no hint");
        }
    }
}

bool is_as_before(const fs::path& folder) {
    const volatile double smallest = DBL_MIN;
    struct sigaction interrupt{};
    ::sigaction(SIGINT, nullptr, &interrupt);
    return smallest / 2 != 0.0 && 1.0 + smallest == 1.0 && fs::current_path() == folder &&
           interrupt.sa_handler != SIG_IGN;
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 2) {
        return 2;
    }
    const fs::path folder = fs::current_path();
    plugin::SearchInputs inputs;
    inputs.command_line = {arguments[1]};
    const plugin::SearchPaths paths = plugin::make_search_paths(inputs);
    const plugin::Catalog catalog = plugin::find_plugins(paths, kFingerprint);
    const plugin::CatalogEntry* good = nullptr;
    for (const plugin::CatalogEntry& entry : catalog.entries) {
        print("list",
              entry,
              entry.shadowed_by.empty() ? entry.refusal.code : "shadowed",
              entry.refusal.message);
        explain(entry, paths);
        good = entry.path.stem() == "good" && entry.is_active() ? &entry : good;
    }
    for (const plugin::CatalogEntry& entry : catalog.entries) {
        if (entry.is_active() && &entry != good) {
            load_and_use(entry);
        }
    }
    if (good == nullptr || !load_and_use(*good) || !is_as_before(folder)) {
        return 1;
    }
    std::puts("alive");
    return 0;
}
