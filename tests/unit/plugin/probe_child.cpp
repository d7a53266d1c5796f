// Opens one plugin and prints how it went: what `topress probe` does, for the made-up host of the
// plugin tests.
#include "fixtures/plugins/fingerprint.h"
#include "plugin/catalog.hpp"
#include "plugin/library.hpp"
#include "plugin/probe.hpp"

#include <cstdio>

using namespace topress;
using namespace topress::plugin;

namespace {

const topress_fingerprint kFingerprint = FIXTURE_FINGERPRINT;
const topress_host kHost = {sizeof(topress_host),
                            TOPRESS_ABI_MAJOR,
                            TOPRESS_ABI_MINOR,
                            "test",
                            [](const char*) -> const void* { return nullptr; }};

std::optional<Diagnostic> open_plugin(const char* file) {
    try {
        Library::load(examine_plugin(file, kFingerprint), kHost, kFingerprint).quiesce();
        return std::nullopt;
    } catch (const DiagnosticError& error) {
        return error.diagnostics().front();
    } catch (const Error& error) {
        return to_diagnostic(error);
    }
}

}  // namespace

#if defined(__SANITIZE_ADDRESS__)
// A signal must end this program as it ends others: that is what its parent is asked about.
extern "C" const char* __asan_default_options() {
    return "handle_segv=0";
}
#endif

int main(int, char** arguments) {
    std::fputs(probe_answer(open_plugin(arguments[1])).c_str(), stdout);
    return 0;
}
