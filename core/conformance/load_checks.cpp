// Checks on opening and starting the library.
#include "base/error.hpp"
#include "conformance/check.hpp"
#include "conformance/host_observer.hpp"
#include "conformance/process_state.hpp"
#include "conformance/subject.hpp"
#include "plugin/host_fingerprint.hpp"
#include "plugin/host_tables.hpp"
#include "train/device.hpp"

#include <topress/abi.h>

#include <algorithm>
#include <array>
#include <dlfcn.h>

namespace topress::conformance {
namespace {

Outcome check_gates(Subject& subject) {
    const plugin::CatalogEntry& entry = subject.entry();
    if (entry.verdict == plugin::Verdict::Loadable) {
        return passed("ABI, LibTorch and C++ library are those of this program");
    }
    Outcome outcome = failed(entry.refusal.message + " [" + entry.refusal.code + "]");
    for (const DiagnosticNote& note : entry.refusal.notes) {
        outcome.details.push_back(note.message);
    }
    if (!entry.refusal.hint.empty()) {
        outcome.details.push_back("hint: " + entry.refusal.hint);
    }
    return outcome;
}

/// Opens the file as the host does, without its guards. Throws Error{plugin/cannot-load}.
void* open_library(const Subject& subject) {
    void* handle = ::dlopen(subject.file().c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
        const char* text = ::dlerror();
        throw Error("plugin/cannot-load", text != nullptr ? text : "it cannot be opened");
    }
    return handle;  // never closed, as in the host
}

Outcome check_opens(Subject& subject) {
    void* handle = open_library(subject);
    if (::dlsym(handle, TOPRESS_ENTRY_SYMBOL) == nullptr) {
        return failed("it has no symbol '" TOPRESS_ENTRY_SYMBOL "'");
    }
    return passed("with all symbols resolved at once");
}

Outcome moved_outcome(const std::vector<std::string>& moved, const std::string& when) {
    Findings findings;
    for (const std::string& what : moved) {
        findings.fail(when + " it changed the process: " + what);
    }
    return findings.outcome("the process is as before");
}

Outcome check_opening_state(Subject& subject) {
    const ProcessWatch watch;
    open_library(subject);
    return moved_outcome(watch.moved(), "while it was opened");
}

Outcome check_opening_threads(Subject& subject) {
    const std::size_t before = count_threads();
    open_library(subject);
    const std::size_t after = count_threads();
    return after > before ? failed("opening it started " + std::to_string(after - before) +
                                   " threads: start them in init, end them in quiesce")
                          : passed("no thread");
}

Outcome check_silent(Subject& subject) {
    const StandardOutputCapture capture;
    open_library(subject);
    static_cast<void>(subject.library());
    const std::string text = capture.text();
    return text.empty() ? passed("nothing on standard output")
                        : failed("wrote " + std::to_string(text.size()) +
                                 " bytes to standard output, which belongs to the program's "
                                 "result: use Context::log_info()");
}

Outcome check_entry(Subject& subject) {
    constexpr std::array<std::string_view, 6> kOfTheEntry = {"plugin/missing-symbol",
                                                             "plugin/bad-entry",
                                                             "plugin/metadata-mismatch",
                                                             "plugin/abi-major",
                                                             "plugin/abi-minor",
                                                             "plugin/fingerprint-mismatch"};
    try {
        static_cast<void>(subject.library());
    } catch (const Error& error) {
        if (std::count(kOfTheEntry.begin(), kOfTheEntry.end(), error.code()) != 0) {
            throw;
        }
        return skipped("refused for another reason: " + error.code());
    }
    return passed("same ABI, fingerprint and metadata");
}

Outcome check_starts(Subject& subject) {
    static_cast<void>(subject.library());
    return passed("init returned OK");
}

Outcome check_starting_state(Subject& subject) {
    open_library(subject);
    const ProcessWatch watch;
    static_cast<void>(subject.library());
    return moved_outcome(watch.moved(), "in init");
}

const topress_entry& entry_of(const Subject& subject) {
    static_cast<void>(subject.library());  // init comes first
    return *static_cast<const topress_entry*>(::dlsym(open_library(subject), TOPRESS_ENTRY_SYMBOL));
}

Outcome check_unknown_interface(Subject& subject) {
    const topress_entry& entry = entry_of(subject);
    Findings findings;
    for (const char* id : {"topress.techniques/999", "topress.no-such-interface/1", ""}) {
        if (entry.get_interface(id) != nullptr) {
            findings.fail(std::string("get_interface(\"") + id +
                          "\") gave a table: null says that there is none");
        }
    }
    return findings.outcome("null, as for every host of the future");
}

Outcome check_table(Subject& subject) {
    const topress_techniques_v1& table = subject.library().techniques();
    Findings findings;
    if (table.create == nullptr || table.destroy == nullptr || table.configure == nullptr ||
        table.apply == nullptr) {
        findings.fail("a function of '" TOPRESS_TECHNIQUES_1 "' is null");
    }
    if (entry_of(subject).get_interface(TOPRESS_TECHNIQUES_1) != &table) {
        findings.fail("another table on the second question: it must stay the same");
    }
    return findings.outcome("complete, and always the same");
}

Outcome check_beside_bundled(Subject& subject) {
    Findings findings;
    for (const plugin::CatalogEntry& entry : subject.bundled()) {
        try {
            static_cast<void>(
                plugin::Library::load(entry, plugin::host_interface(), plugin::host_fingerprint()));
        } catch (const std::exception& error) {
            findings.note("not tried beside " + entry.metadata->id + ": " + error.what());
        }
    }
    static_cast<void>(subject.library());
    return findings.outcome("beside " + std::to_string(subject.bundled().size()) +
                            " bundled plugins");
}

Outcome check_quiesce(Subject& subject) {
    train::set_threads(1);  // what the host computes at init starts no threads of its own
    const std::size_t before = count_threads();
    subject.library().quiesce();
    return threads_end(before) ? passed("it returned, and no thread is left")
                               : failed("a thread still runs two seconds after quiesce");
}

}  // namespace

std::vector<Check> load_checks() {
    constexpr auto kGroup = Group::Load;
    constexpr auto kOpened = Requires::Opened;
    constexpr auto kLoaded = Requires::Loaded;
    return {
        {"passes-gates",
         kGroup,
         Requires::File,
         "The host accepts it: same ABI, LibTorch and C++ library, nothing unsafe.",
         check_gates},
        {"opens",
         kGroup,
         Requires::Loadable,
         "The loader opens it, all symbols at once.",
         check_opens},
        {"opening-changes-nothing",
         kGroup,
         kOpened,
         "Opening it changes no setting of the process.",
         check_opening_state},
        {"opening-starts-no-thread",
         kGroup,
         kOpened,
         "Opening it starts no thread.",
         check_opening_threads},
        {"entry-matches-notes", kGroup, kOpened, "The entry says what the notes say.", check_entry},
        {"starts", kGroup, kOpened, "Its init succeeds.", check_starts},
        {"starting-changes-nothing",
         kGroup,
         kLoaded,
         "Init changes no setting of the process.",
         check_starting_state},
        {"silent", kGroup, kLoaded, "It writes nothing to standard output.", check_silent},
        {"complete-table", kGroup, kLoaded, "Its table of functions is complete.", check_table},
        {"unknown-interface",
         kGroup,
         kLoaded,
         "Asked for an interface it does not have, it answers null.",
         check_unknown_interface},
        {"beside-bundled",
         kGroup,
         kOpened,
         "It loads into a process that has all bundled plugins.",
         check_beside_bundled},
        {"quiesces",
         kGroup,
         kLoaded,
         "Quiesce returns and leaves no thread behind.",
         check_quiesce},
    };
}

}  // namespace topress::conformance
