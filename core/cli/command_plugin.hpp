// The commands below `topress plugin`.
#pragma once

namespace CLI {
class App;
}

namespace topress::cli {

struct Session;

/// Each adds one command to the group `plugin`; its callback sets `session.action`.
void add_plugin_check_command(CLI::App& group, Session& session);
void add_plugin_list_command(CLI::App& group, Session& session);
void add_plugin_doc_command(CLI::App& group, Session& session);
void add_plugin_why_command(CLI::App& group, Session& session);
void add_plugin_new_command(CLI::App& group, Session& session);

}  // namespace topress::cli
