// Looks for the first command or flag that does not exist.
#include "cli/usage.hpp"

#include "base/suggest.hpp"

namespace topress::cli {
namespace {

bool is_flag(const std::string& argument) {
    return argument.size() > 1 && argument.front() == '-';
}

std::string flag_name(const std::string& argument) {
    return argument.substr(0, argument.find('='));
}

std::vector<std::string> command_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* command : app.get_subcommands({})) {
        if (!command->get_group().empty()) {  // not one that only topress itself uses
            names.push_back(command->get_name());
        }
    }
    return names;
}

const CLI::App* find_command(const CLI::App& app, const std::string& name) {
    for (const CLI::App* command : app.get_subcommands({})) {
        if (command->get_name() == name) {
            return command;
        }
    }
    return nullptr;
}

/// The option of the command or of one that it is part of.
const CLI::Option* find_option(const CLI::App& command, const std::string& flag) {
    for (const CLI::App* app = &command; app != nullptr; app = app->get_parent()) {
        for (const CLI::Option* option : app->get_options()) {
            if (option->check_name(flag)) {
                return option;
            }
        }
    }
    return nullptr;
}

std::vector<std::string> flags_of(const CLI::App& command) {
    std::vector<std::string> flags;
    for (const CLI::App* app = &command; app != nullptr; app = app->get_parent()) {
        for (const CLI::Option* option : app->get_options()) {
            for (const std::string& name : option->get_lnames()) {
                flags.push_back("--" + name);
            }
        }
    }
    return flags;
}

std::string list_of(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) {
        text += text.empty() ? "" : ", ";
        text += name;
    }
    return text;
}

Diagnostic unknown(const char* code,
                   const std::string& what,
                   const std::string& name,
                   const std::vector<std::string>& known) {
    Diagnostic diagnostic;
    diagnostic.code = code;
    diagnostic.message = "there is no " + what + " '" + name + "'";
    const auto close = nearest(name, known);
    diagnostic.hint = close ? "did you mean '" + *close + "'?" : "there are: " + list_of(known);
    return diagnostic;
}

/// Walks over the arguments as CLI11 does: flags with their values, commands inside commands.
struct Walk {
    const CLI::App* command;
    std::string name;
    std::optional<Diagnostic> mistake;
};

Walk walk_over(const CLI::App& app, const std::vector<std::string>& arguments) {
    Walk walk{&app, "", std::nullopt};
    for (std::size_t index = 0; index < arguments.size() && !walk.mistake; ++index) {
        const std::string& argument = arguments[index];
        if (is_flag(argument)) {
            const CLI::Option* option = find_option(*walk.command, flag_name(argument));
            if (option == nullptr) {
                walk.mistake = unknown(
                    "usage/unknown-flag", "flag", flag_name(argument), flags_of(*walk.command));
            } else if (option->get_items_expected_min() > 0 &&
                       argument.find('=') == std::string::npos) {
                ++index;  // its value
            }
        } else if (const CLI::App* inner = find_command(*walk.command, argument)) {
            walk.command = inner;
            walk.name += walk.name.empty() ? "" : " ";
            walk.name += argument;
        } else if (const auto names = command_names(*walk.command); !names.empty()) {
            walk.mistake = unknown("usage/unknown-command", "command", argument, names);
        }
    }
    return walk;
}

}  // namespace

Diagnostic explain_usage(const CLI::App& app,
                         const std::vector<std::string>& arguments,
                         const CLI::ParseError& error) {
    const Walk walk = walk_over(app, arguments);
    if (walk.mistake) {
        return *walk.mistake;
    }
    Diagnostic diagnostic;
    diagnostic.code = "usage/bad-arguments";
    diagnostic.message = error.what();
    diagnostic.hint = "see `topress " + (walk.name.empty() ? "" : walk.name + " ") + "--help`";
    return diagnostic;
}

std::string command_name(const CLI::App& app, const std::vector<std::string>& arguments) {
    const std::string name = walk_over(app, arguments).name;
    return name.empty() ? "topress" : name;
}

}  // namespace topress::cli
