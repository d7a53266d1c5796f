// topress worker: one stage for a run that waits in another process; not meant to be typed.
#include "base/log.hpp"
#include "cli/interrupt.hpp"
#include "cli/session.hpp"
#include "pipeline/worker.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <memory>
#include <unistd.h>

namespace topress::cli {
namespace {

/// The way to the waiting process. What a plugin prints goes to standard error instead.
int take_standard_output() {
    std::fflush(stdout);
    const int kept = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    ::dup2(STDERR_FILENO, STDOUT_FILENO);
    return kept < 0 ? STDERR_FILENO : kept;
}

Outcome run_worker(const std::string& folder) {
    pipeline::EventWriter events(take_standard_output());
    log::set_console(log::Level::Off, false);
    log::set_forward(
        [&events](log::Level level, std::string_view text) { events.log(level, text); });
    watch_interrupts();
    pipeline::run_worker(folder, events, is_interrupted);
    log::set_forward({});
    std::fflush(nullptr);
    // The result is on disk: what a plugin does in destructors at exit cannot harm it any more.
    std::_Exit(0);
}

}  // namespace

void add_worker_command(CLI::App& app, Session& session) {
    auto folder = std::make_shared<std::string>();
    CLI::App* command = app.add_subcommand("worker", "does one stage of a run (internal)");
    command->group("");  // not in the help
    command->add_option("FOLDER", *folder, "folder with the job")->required();
    command->callback([&session, folder] {
        session.command = "worker";
        session.action = [folder] { return run_worker(*folder); };
    });
}

}  // namespace topress::cli
