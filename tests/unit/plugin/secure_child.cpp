// Says how it sees the environment: for a test that gives a copy of it more rights than its caller.
// Prints "secure 0|1", "place PATH" for every plugin folder, "ignored NAME..." for every warning,
// "cache PATH".
#include "plugin/search_paths.hpp"
#include "plugin/user_environment.hpp"

#include <cstdio>

using namespace topress;

#if defined(__SANITIZE_ADDRESS__)
// Leaks are looked for by a second process, which must not look into one with more rights.
extern "C" const char* __asan_default_options() {
    return "detect_leaks=0";
}
#endif

int main() {
    try {
        const auto environment = plugin::UserEnvironment::of_process();
        std::printf("secure %d\n", environment.is_secure() ? 1 : 0);
        const plugin::SearchPaths paths = plugin::standard_search_paths({}, {});
        for (const plugin::SearchPath& place : paths.places) {
            std::printf("place %s\n", place.path.c_str());
        }
        for (const Diagnostic& diagnostic : paths.diagnostics) {
            std::printf("%s %s\n", diagnostic.code.c_str(), diagnostic.message.c_str());
        }
        std::printf("cache %s\n", environment.cache_folder().c_str());
    } catch (const DiagnosticError& error) {
        std::printf("%s\n", error.diagnostics().front().code.c_str());
        return 3;
    }
    return 0;
}
