// topress-metadata: checks plugin.toml while a plugin is built, and prints the JSON schema of it.
#include "plugin/metadata.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "plugin/metadata_json.hpp"

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace topress {
namespace {

constexpr std::size_t kLargestFileBytes = std::size_t{1} << 20;  // what fits into a note

constexpr const char* kUsage =
    "Checks the metadata of a plugin as the host will read it.\n"
    "\n"
    "Usage: topress-metadata FILE...       check each plugin.toml\n"
    "       topress-metadata --json-schema print the JSON schema of plugin.toml\n"
    "\n"
    "Exit status: 0 all are right, 2 usage, 4 a mistake in a file.\n";

void print(const Diagnostics& diagnostics) {
    for (const Diagnostic& diagnostic : diagnostics) {
        std::fputs(render(diagnostic).c_str(), stderr);
    }
}

bool check(const std::string& file) {
    Diagnostics diagnostics;
    try {
        const std::string text = read_file(file, kLargestFileBytes);
        static_cast<void>(plugin::parse_metadata(text, file, diagnostics));
    } catch (const Error& error) {
        diagnostics.push_back(to_diagnostic(error));
    }
    print(diagnostics);
    return !has_errors(diagnostics);
}

ExitStatus run(const std::vector<std::string>& arguments) {
    if (arguments.size() == 1 && arguments.front() == "--json-schema") {
        std::fputs(plugin::to_text(plugin::metadata_json_schema()).c_str(), stdout);
        return ExitStatus::Done;
    }
    const bool wants_help = arguments.size() == 1 && arguments.front() == "--help";
    if (wants_help || arguments.empty() || arguments.front().starts_with("-")) {
        std::fputs(kUsage, wants_help ? stdout : stderr);
        return wants_help ? ExitStatus::Done : ExitStatus::Usage;
    }
    bool is_right = true;
    for (const std::string& file : arguments) {
        is_right = check(file) && is_right;
    }
    return is_right ? ExitStatus::Done : ExitStatus::Plugin;
}

}  // namespace
}  // namespace topress

int main(int count, char** arguments) {
    try {
        return static_cast<int>(topress::run({arguments + 1, arguments + count}));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "error[internal/exception]: internal error: %s\n", error.what());
    }
    return static_cast<int>(topress::ExitStatus::Internal);
}
