// topress plugin new: a plugin project that builds, passes its tests and runs as it is.
#include "base/child_process.hpp"
#include "cli/command_plugin.hpp"
#include "cli/session.hpp"
#include "plugin/scaffold.hpp"

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string_view>
#include <system_error>

namespace topress::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPluginFolder = "build/lib/topress/plugins";

/// As one word of a POSIX shell.
std::string quoted(const std::string& text) {
    constexpr std::string_view kPlain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/+:,@%=";
    if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) {
        return text;
    }
    std::string word = "'";
    for (const char letter : text) {
        word += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
    }
    return word + "'";
}

/// Is the program what a shell runs when it is told `topress`?
bool is_on_path(const fs::path& program) {
    const char* path = std::getenv("PATH");
    std::istringstream folders(path == nullptr ? "" : path);
    for (std::string folder; std::getline(folders, folder, ':');) {
        std::error_code failed;
        const fs::path candidate = fs::path(folder) / "topress";
        if (!folder.empty() && fs::exists(candidate, failed)) {
            return fs::equivalent(candidate, program, failed);
        }
    }
    return false;
}

std::vector<std::string> next_commands(const fs::path& program, const std::string& directory) {
    std::vector<std::string> commands;
    if (!is_on_path(program)) {  // find_package() looks beside the folders of PATH too
        commands.push_back("export PATH=" + quoted(program.parent_path().string()) + ":\"$PATH\"");
    }
    commands.push_back("cd " + quoted(directory));
    commands.emplace_back("cmake --preset default");
    commands.emplace_back("cmake --build --preset default");
    commands.emplace_back("ctest --preset default");
    commands.emplace_back(std::string("topress run demo.toml --plugin-path ") + kPluginFolder);
    return commands;
}

/// A program in its build folder can list templates, but a project cannot be built against it.
Diagnostics not_installed(const fs::path& program) {
    const fs::path prefix = program.parent_path().parent_path();
    std::error_code failed;
    if (fs::exists(prefix / "lib/cmake/topress/topressConfig.cmake", failed)) {
        return {};
    }
    Diagnostic diagnostic;
    diagnostic.severity = Severity::Warning;
    diagnostic.code = "plugin/not-installed";
    diagnostic.message = "this topress is not installed, so find_package(topress) will not find it";
    diagnostic.hint = "cmake --install " + quoted(prefix.string()) +
                      " --prefix DIR, then put DIR/bin first on PATH";
    return {diagnostic};
}

Outcome make_plugin(const plugin::ScaffoldRequest& request) {
    const fs::path program = own_program();
    const fs::path templates = plugin::find_templates(program);
    const plugin::Scaffold made = plugin::write_scaffold(request, templates);
    const auto commands = next_commands(program, request.directory.string());

    Outcome outcome;
    outcome.diagnostics = not_installed(program);
    outcome.document = pipeline::document_head("plugin new", outcome.diagnostics);
    outcome.document["id"] = made.names.id;
    outcome.document["technique"] = made.names.technique;
    outcome.document["template"] = (templates / request.template_name).string();
    outcome.document["directory"] = made.directory.string();
    outcome.document["files"] = made.files;
    outcome.document["next"] = commands;

    outcome.text = "made the plugin " + made.names.id + " with the technique " +
                   made.names.technique + " in " + request.directory.string() + "\n";
    for (const std::string& file : made.files) {
        outcome.text += "  " + file + "\n";
    }
    outcome.text += "\nnext:\n";
    for (const std::string& command : commands) {
        outcome.text += "  " + command + "\n";
    }
    return outcome;
}

}  // namespace

void add_plugin_new_command(CLI::App& group, Session& session) {
    auto request = std::make_shared<plugin::ScaffoldRequest>();
    auto directory = std::make_shared<std::string>();
    request->template_name = "weights";
    CLI::App* command = group.add_subcommand("new", "a plugin project to start from");
    command->add_option("ID", request->id, "of the plugin, reverse DNS: org.example.shrink")
        ->required();
    command->add_option("DIR", *directory, "a new folder (default: the last part of ID)");
    command
        ->add_option("--template",
                     request->template_name,
                     "weights (default), pruning, quantization,\n"
                     "distillation, exit or operator")
        ->type_name("NAME");
    command->footer("Example: topress plugin new org.example.shrink --template pruning shrink");
    command->callback([&session, request, directory] {
        session.command = "plugin new";
        session.action = [request, directory] {
            const std::string label = plugin::scaffold_names(request->id).label;
            request->directory = directory->empty() ? label : *directory;
            return make_plugin(*request);
        };
    });
}

}  // namespace topress::cli
