// topress probe FILE: opens one library in this process and says how it went. Hidden: topress
// starts it as a child before it opens a library itself.
#include "cli/session.hpp"
#include "plugin/catalog.hpp"
#include "plugin/host_fingerprint.hpp"
#include "plugin/host_tables.hpp"
#include "plugin/library.hpp"
#include "plugin/probe.hpp"

#include <CLI/CLI.hpp>

namespace topress::cli {
namespace {

std::optional<Diagnostic> open_plugin(const std::string& file) {
    const plugin::CatalogEntry entry = plugin::examine_plugin(file, plugin::host_fingerprint());
    if (entry.verdict == plugin::Verdict::Refused) {
        return entry.refusal;
    }
    try {
        plugin::Library::load(entry, plugin::host_interface(), plugin::host_fingerprint())
            .quiesce();
        return std::nullopt;
    } catch (const Error& error) {
        Diagnostic refusal = to_diagnostic(error);
        refusal.location.file = entry.path.string();
        return refusal;
    }
}

Outcome probe(const std::string& file) {
    const std::optional<Diagnostic> refusal = open_plugin(file);
    Outcome outcome;
    outcome.document =
        pipeline::document_head("probe", refusal ? Diagnostics{*refusal} : Diagnostics{});
    outcome.text = plugin::probe_answer(refusal);
    return outcome;
}

}  // namespace

void add_probe_command(CLI::App& app, Session& session) {
    auto file = std::make_shared<std::string>();
    CLI::App* command = app.add_subcommand("probe", "open one plugin and say how it went");
    command->group("");
    command->add_option("FILE", *file, "the library")->required();
    command->callback([&session, file] {
        session.command = "probe";
        session.action = [file] { return probe(*file); };
    });
}

}  // namespace topress::cli
