// Checks on the file alone: nothing of it is run.
#include "conformance/check.hpp"
#include "conformance/subject.hpp"
#include "plugin/note.hpp"

#include <topress/abi.h>

#include <algorithm>
#include <array>
#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

namespace topress::conformance {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kUnusualSizeBytes = std::uint64_t{512} << 20;

bool has_code(const Subject& subject, std::initializer_list<std::string_view> codes) {
    const plugin::CatalogEntry& entry = subject.entry();
    return entry.verdict == plugin::Verdict::Refused &&
           std::find(codes.begin(), codes.end(), entry.refusal.code) != codes.end();
}

Outcome refusal_outcome(const Subject& subject) {
    const Diagnostic& refusal = subject.entry().refusal;
    Outcome outcome = failed(refusal.message + " [" + refusal.code + "]");
    for (const DiagnosticNote& note : refusal.notes) {
        outcome.details.push_back(note.message);
    }
    if (!refusal.hint.empty()) {
        outcome.details.push_back("hint: " + refusal.hint);
    }
    return outcome;
}

Outcome check_elf(Subject& subject) {
    if (has_code(subject, {"plugin/not-elf"})) {
        return refusal_outcome(subject);
    }
    return passed("a shared library");
}

Outcome check_machine(Subject& subject) {
    if (has_code(subject, {"plugin/wrong-architecture"})) {
        return refusal_outcome(subject);
    }
    return passed("made for this machine");
}

Outcome check_complete(Subject& subject) {
    if (has_code(subject, {"plugin/not-elf", "plugin/wrong-architecture"})) {
        return skipped("no library for this machine");
    }
    if (has_code(subject, {"plugin/truncated"})) {
        return refusal_outcome(subject);
    }
    // Reads more than the gates do: the dynamic section and the symbol tables.
    return passed(std::to_string(subject.image().size_bytes) + " bytes, every table within them");
}

/// "other users", "its group" or nothing: who besides the owner may write there.
std::string other_writers(const fs::path& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) {
        return {};
    }
    if ((status.st_mode & S_IWOTH) != 0 && (status.st_mode & S_ISVTX) == 0) {
        return "other users";
    }
    return (status.st_mode & S_IWGRP) != 0 && status.st_gid != ::getegid() ? "its group"
                                                                           : std::string();
}

Outcome check_permissions(Subject& subject) {
    Findings findings;
    const std::string file = other_writers(subject.file());
    if (!file.empty()) {
        findings.fail(file + " may change the file: chmod go-w " + subject.file().string());
    }
    const fs::path folder = subject.file().parent_path();
    const std::string in_folder = other_writers(folder);
    if (!in_folder.empty()) {
        findings.warn(in_folder + " may replace files in " + folder.string());
    }
    return findings.outcome("only its owner may change it");
}

Outcome check_size(Subject& subject) {
    if (!fs::is_regular_file(subject.file())) {
        return skipped("a folder, pipe, socket or device has no size");
    }
    const std::uint64_t size = fs::file_size(subject.file());
    Findings findings;
    if (size > kUnusualSizeBytes) {
        findings.warn("the file has " + std::to_string(size >> 20U) +
                      " MiB: is LibTorch or the CUDA runtime linked into it?");
    }
    return findings.outcome(std::to_string((size + 1023) / 1024) + " KiB");
}

Outcome check_notes(Subject& subject) {
    if (has_code(subject, {"plugin/no-note", "plugin/bad-note"}) ||
        (has_code(subject, {"plugin/bad-metadata"}) && !plugin::read_notes(subject.file()).notes)) {
        return refusal_outcome(subject);
    }
    const plugin::FileImage& image = subject.image();
    Findings findings;
    for (const auto& [what, count] :
         {std::pair{"metadata", image.notes.metadata}, std::pair{"build", image.notes.build}}) {
        if (count != 1) {
            findings.fail("there are " + std::to_string(count) + " " + what +
                          " notes, one is expected: call topress_add_plugin() once for a library");
        }
    }
    if (image.notes.metadata_bytes > plugin::kMetadataLimitBytes) {
        findings.fail("the metadata note has " + std::to_string(image.notes.metadata_bytes) +
                      " bytes");
    }
    return findings.outcome("one of each, metadata of " +
                            std::to_string(image.notes.metadata_bytes) + " bytes");
}

Outcome check_exports(Subject& subject) {
    Findings findings;
    bool has_entry = false;
    int others = 0;
    for (const std::string& name : subject.image().linkage.exports) {
        const bool is_ours = name == TOPRESS_ENTRY_SYMBOL;
        has_entry = has_entry || is_ours;
        if (!is_ours && ++others <= 3) {
            findings.fail("exports '" + name + "', which may meet another plugin's");
        }
    }
    if (!has_entry) {
        findings.fail("does not export '" TOPRESS_ENTRY_SYMBOL "'");
    }
    if (others > 3) {
        findings.note("and " + std::to_string(others - 3) + " further symbols");
    }
    if (others > 0) {
        findings.note("topress_add_plugin() hides them with a version script");
    }
    return findings.outcome("only '" TOPRESS_ENTRY_SYMBOL "'");
}

bool has_start(const std::vector<std::string>& names, std::string_view start) {
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
        return name.starts_with(start);
    });
}

/// Its own copy of the library is seen by the functions that only libstdc++ defines.
Outcome check_standard_library(Subject& subject) {
    constexpr std::array<std::string_view, 3> kOnlyInLibrary = {
        "__cxa_throw", "__cxa_allocate_exception", "_ZSt9terminatev"};
    const plugin::FileImage& image = subject.image();
    if (has_start(image.linkage.needed, "libstdc++.so")) {
        return passed("libstdc++ is shared with the program");
    }
    const auto is_of_library = [&](const std::string& symbol) {
        return std::count(kOnlyInLibrary.begin(), kOnlyInLibrary.end(), symbol) != 0;
    };
    for (const auto* names :
         {&image.symbols.locals, &image.linkage.exports, &image.symbols.imports}) {
        const auto found = std::find_if(names->begin(), names->end(), is_of_library);
        if (found != names->end()) {
            return failed("libstdc++ is linked statically ('" + *found +
                          "' is inside): exceptions and streams would exist twice; link without "
                          "-static-libstdc++");
        }
    }
    return passed("does not use libstdc++");
}

Outcome check_cuda_runtime(Subject& subject) {
    for (const std::string_view name : {"libcudart.so", "libcuda.so"}) {
        if (has_start(subject.image().linkage.needed, name)) {
            return failed("needs '" + std::string(name) +
                          "': where there is none, the plugin cannot be opened; link the CUDA "
                          "runtime statically (CUDA_SOURCES of topress_add_plugin() does)");
        }
    }
    return passed("opens on machines without CUDA");
}

Outcome check_fast_math(Subject& subject) {
    if (has_start(subject.image().symbols.locals, "set_fast_math")) {
        return failed(
            "linked with -ffast-math: opening it would switch the program to "
            "flush-to-zero; use -fno-math-errno and the like for its own sources, not "
            "-ffast-math at link time");
    }
    return passed("no start-up code that changes floating point");
}

/// Looks each name up in the program and in the libraries that are loaded with it.
Outcome check_undefined_symbols(Subject& subject) {
    const plugin::FileImage& image = subject.image();
    for (const std::string& library : image.linkage.needed) {
        void* handle = ::dlopen(library.c_str(), RTLD_LAZY | RTLD_NOLOAD);
        if (handle == nullptr) {
            return skipped("it brings '" + library + "', see 'opens'");
        }
        ::dlclose(handle);
    }
    Findings findings;
    for (const std::string& symbol : image.symbols.imports) {
        if (::dlsym(RTLD_DEFAULT, symbol.c_str()) == nullptr) {
            findings.fail("nothing defines '" + symbol + "'");
        }
    }
    return findings.outcome("everything it uses is there");
}

Outcome check_text_relocations(Subject& subject) {
    return subject.image().linkage.has_text_relocations
               ? failed("its code is changed while it is loaded: compile with -fPIC")
               : passed("its code stays as it is in the file");
}

Outcome check_stack(Subject& subject) {
    return subject.image().linkage.has_executable_stack
               ? failed("asks for an executable stack: link with -z noexecstack")
               : passed("its stack cannot be executed");
}

Outcome check_search_path(Subject& subject) {
    Findings findings;
    for (const std::string& part : subject.image().linkage.search_paths) {
        const bool is_relative = !part.starts_with('/') && !part.starts_with("$ORIGIN") &&
                                 !part.starts_with("${ORIGIN}");
        if (is_relative) {
            findings.fail("looks for libraries in '" + part +
                          "', which depends on the current directory");
        } else if (part.starts_with('/') && !other_writers(part).empty()) {
            findings.warn("looks for libraries in " + part + ", where " + other_writers(part) +
                          " may write");
        }
    }
    return findings.outcome("absolute, and safe");
}

Outcome check_never_unloaded(Subject& subject) {
    Findings findings;
    if (!subject.image().linkage.is_never_unloaded) {
        findings.warn("may be unloaded: link with -z nodelete, as topress_add_plugin() does");
    }
    return findings.outcome("stays loaded");
}

}  // namespace

std::vector<Check> file_checks() {
    constexpr auto kGroup = Group::File;
    constexpr auto kFile = Requires::File;
    constexpr auto kComplete = Requires::Complete;
    return {
        {"is-elf", kGroup, kFile, "The file is an ELF shared library.", check_elf},
        {"right-machine", kGroup, kFile, "It was built for this machine.", check_machine},
        {"not-truncated", kGroup, kFile, "All that it announces lies within it.", check_complete},
        {"one-note-each",
         kGroup,
         kComplete,
         "It carries one metadata and one build note.",
         check_notes},
        {"safe-permissions", kGroup, kFile, "Only its owner may change it.", check_permissions},
        {"usual-size", kGroup, kFile, "It is not as large as LibTorch itself.", check_size},
        {"exports-entry-only", kGroup, kComplete, "The entry is all it exports.", check_exports},
        {"shares-libstdcxx",
         kGroup,
         kComplete,
         "It uses the program's libstdc++, not a copy of its own.",
         check_standard_library},
        {"no-shared-cudart",
         kGroup,
         kComplete,
         "It opens where CUDA is not installed.",
         check_cuda_runtime},
        {"no-fast-math", kGroup, kComplete, "It was not linked with -ffast-math.", check_fast_math},
        {"no-undefined-symbols",
         kGroup,
         kComplete,
         "Every symbol it uses is defined somewhere.",
         check_undefined_symbols},
        {"no-text-relocations",
         kGroup,
         kComplete,
         "Its code needs no relocation.",
         check_text_relocations},
        {"no-executable-stack", kGroup, kComplete, "Its stack cannot be executed.", check_stack},
        {"safe-search-path",
         kGroup,
         kComplete,
         "It looks for libraries in absolute, protected folders only.",
         check_search_path},
        {"never-unloaded",
         kGroup,
         kComplete,
         "It is marked to stay loaded, as graphs and pointers outlive its use.",
         check_never_unloaded},
    };
}

}  // namespace topress::conformance
