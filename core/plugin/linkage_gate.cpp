// One function per gate, in the order of kGates; each says what was found, expected and why.
#include "plugin/linkage_gate.hpp"

#include <topress/abi.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace topress::plugin {

namespace {

constexpr std::size_t kNamesShown = 3;

using Namespaces = std::vector<std::string>;
using Verdict = std::optional<Refusal>;

// "a, b, c and 4 more".
std::string list_some(const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), kNamesShown); ++i) {
        text += (i == 0 ? "" : ", ") + names[i];
    }
    return names.size() <= kNamesShown
               ? text
               : text + " and " + std::to_string(names.size() - kNamesShown) + " more";
}

bool needs(const Linkage& linkage, std::string_view prefix) {
    return std::any_of(linkage.needed.begin(), linkage.needed.end(), [&](const std::string& name) {
        return std::string_view(name).substr(name.rfind('/') + 1).starts_with(prefix);
    });
}

Verdict check_kind(const Linkage& linkage, const Namespaces& /*namespaces*/) {
    if (!linkage.is_program) {
        return std::nullopt;
    }
    return Refusal{"plugin/not-elf",
                   "this is not a shared library",
                   "a program",
                   "an ELF shared library",
                   "the loader opens no programs",
                   "build it as a library, with topress_add_plugin()"};
}

Verdict check_entry_symbol(const Linkage& linkage, const Namespaces& /*namespaces*/) {
    if (linkage.entry) {
        return std::nullopt;
    }
    return Refusal{
        "plugin/missing-symbol",
        "the library has no plugin entry",
        linkage.exports.empty() ? "no exported symbol" : "exported: " + list_some(linkage.exports),
        "one exported symbol '" TOPRESS_ENTRY_SYMBOL "'",
        {},
        "build it with topress_add_plugin(), which makes the entry"};
}

Refusal bad_entry(std::string found, std::string expected) {
    return {"plugin/bad-entry",
            "the plugin entry is not one this topress can read",
            std::move(found),
            std::move(expected),
            {},
            "build the plugin again with topress_add_plugin()"};
}

Verdict check_entry_image(const Linkage& linkage, const Namespaces& /*namespaces*/) {
    const EntryImage& entry = *linkage.entry;
    const std::string bytes = "at least " + std::to_string(sizeof(topress_entry));
    if (!entry.is_object) {
        return bad_entry("an entry that is no variable", "a variable of type topress_entry");
    }
    if (entry.symbol_size_bytes < sizeof(topress_entry)) {
        return bad_entry("a symbol of " + std::to_string(entry.symbol_size_bytes) + " bytes",
                         bytes);
    }
    if (entry.magic != TOPRESS_ENTRY_MAGIC) {
        return bad_entry("another magic number", "that of <topress/abi.h>");
    }
    if (entry.struct_size < sizeof(topress_entry)) {
        return bad_entry("an entry of " + std::to_string(entry.struct_size) + " bytes", bytes);
    }
    return std::nullopt;
}

Verdict check_exports(const Linkage& linkage, const Namespaces& /*namespaces*/) {
    std::vector<std::string> others = linkage.exports;
    std::erase(others, TOPRESS_ENTRY_SYMBOL);
    if (others.empty()) {
        return std::nullopt;
    }
    return Refusal{"plugin/extra-exports",
                   "the library exports more than its entry",
                   list_some(others),
                   "'" TOPRESS_ENTRY_SYMBOL "' alone",
                   "an exported symbol can be mixed up with one of the same name elsewhere",
                   "build it with topress_add_plugin(), or link it with a version script that "
                   "hides the others"};
}

Verdict check_memory(const Linkage& linkage, const Namespaces& /*namespaces*/) {
    if (!linkage.has_executable_stack && !linkage.has_text_relocations &&
        !linkage.has_writable_code) {
        return std::nullopt;
    }
    return Refusal{"plugin/unsafe-memory",
                   "opening the library would make memory both writable and executable",
                   linkage.has_executable_stack   ? "an executable stack"
                   : linkage.has_text_relocations ? "relocations in its code"
                                                  : "a writable code segment",
                   "code that is not writable, data and stack that are not executable",
                   "the whole process would lose this protection",
                   "build it as position-independent code; assembler files need "
                   "`.section .note.GNU-stack,\"\",@progbits`"};
}

Verdict check_library_paths(const Linkage& linkage, const Namespaces& /*namespaces*/) {
    const auto refuse = [](const std::string& found) {
        return Refusal{"plugin/unsafe-library-path",
                       "the library looks for others in the current folder",
                       found,
                       "absolute paths, or paths that start with $ORIGIN",
                       "what runs must not depend on the folder topress is started in",
                       "correct its RPATH or RUNPATH; link libraries by name"};
    };
    for (const std::string& path : linkage.search_paths) {
        // CMake fills the paths of a build tree up with empty ones, so that those are let through.
        if (!path.empty() && !path.starts_with('/') && !path.starts_with("$ORIGIN") &&
            !path.starts_with("${ORIGIN}")) {
            return refuse("the search path '" + path + "'");
        }
    }
    for (const std::string& name : linkage.needed) {
        if (name.find('/') != std::string::npos && !name.starts_with('/') &&
            !name.starts_with("$ORIGIN")) {
            return refuse("the needed library '" + name + "'");
        }
    }
    return std::nullopt;
}

// Who calls C++ functions of other libraries shares exceptions and type information with them.
Verdict check_runtime(const Linkage& linkage, const Namespaces& /*namespaces*/) {
    if (!linkage.imports_cxx || needs(linkage, "libstdc++.so") || needs(linkage, "libc++.so")) {
        return std::nullopt;
    }
    return Refusal{"plugin/static-runtime",
                   "the library has a C++ runtime of its own",
                   "C++ functions of other libraries used without the shared libstdc++",
                   "libstdc++.so.6 among the needed libraries",
                   "an exception that passes between two C++ runtimes ends the process",
                   "link it without -static-libstdc++"};
}

Verdict check_cuda_runtime(const Linkage& linkage, const Namespaces& /*namespaces*/) {
    if (!needs(linkage, "libcudart.so")) {
        return std::nullopt;
    }
    return Refusal{"plugin/shared-cudart",
                   "the library needs the shared CUDA runtime",
                   "libcudart.so among the needed libraries",
                   "the CUDA runtime linked in, hidden",
                   "the plugin could not be opened where there is no CUDA",
                   "give .cu files to topress_add_plugin() or topress_add_kernels(), which link "
                   "it statically"};
}

// Two registrations of one namespace end the process while the second library is opened.
Verdict check_namespaces(const Linkage& linkage, const Namespaces& namespaces) {
    if (!linkage.registers_operators || !namespaces.empty()) {
        return std::nullopt;
    }
    return Refusal{"plugin/undeclared-namespace",
                   "the library registers LibTorch operators and does not say where",
                   "a TORCH_LIBRARY, and no torch_namespaces in plugin.toml",
                   "plugin.torch_namespaces with every namespace it registers",
                   "two plugins with one namespace cannot be opened together",
                   "add torch_namespaces = [\"...\"] to [plugin] in plugin.toml"};
}

using Check = Verdict (*)(const Linkage&, const Namespaces&);

// A gate may rely on those before it.
constexpr std::array<Check, 9> kGates = {check_kind,
                                         check_entry_symbol,
                                         check_entry_image,
                                         check_exports,
                                         check_memory,
                                         check_library_paths,
                                         check_runtime,
                                         check_cuda_runtime,
                                         check_namespaces};

}  // namespace

std::optional<Refusal> check_linkage(const Linkage& linkage, const Namespaces& torch_namespaces) {
    for (const Check check : kGates) {
        if (auto refusal = check(linkage, torch_namespaces)) {
            return refusal;
        }
    }
    return std::nullopt;
}

}  // namespace topress::plugin
