// topress plugin: the commands about plugins, one file each.
#include "cli/command_plugin.hpp"

#include "cli/session.hpp"

#include <CLI/CLI.hpp>

namespace topress::cli {

void add_plugin_command(CLI::App& app, Session& session) {
    CLI::App* group = app.add_subcommand("plugin", "what is installed");
    group->require_subcommand(1);
    add_plugin_check_command(*group, session);
    add_plugin_list_command(*group, session);
    add_plugin_doc_command(*group, session);
    add_plugin_why_command(*group, session);
    add_plugin_new_command(*group, session);
}

}  // namespace topress::cli
