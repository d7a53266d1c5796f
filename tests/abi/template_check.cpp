// Examines, loads and configures the plugin named on the command line, as a host of this build
// would.
#include "plugin/host_fingerprint.hpp"
#include "plugin/library.hpp"

#include <iostream>

using namespace topress;
using namespace topress::plugin;

namespace {

const topress_host kHost = {sizeof(topress_host),
                            TOPRESS_ABI_MAJOR,
                            TOPRESS_ABI_MINOR,
                            "template check",
                            [](const char*) -> const void* { return nullptr; }};

int check(const char* path) {
    const CatalogEntry entry = examine_plugin(path, host_fingerprint());
    const Library library = Library::load(entry, kHost, host_fingerprint());
    for (const TechniqueMetadata& technique : entry.metadata->techniques) {
        TechniqueObject object(library, technique.id);
        object.configure(config::fill_defaults({}, technique.parameters));
        std::cout << "configured " << technique.id << '\n';
    }
    return 0;
}

}  // namespace

int main(int count, char** arguments) {
    try {
        return count == 2 ? check(arguments[1]) : 2;
    } catch (const DiagnosticError& error) {
        std::cerr << render(error.diagnostics().front()) << '\n';
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
    }
    return 1;
}
