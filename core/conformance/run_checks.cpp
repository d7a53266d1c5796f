// Child processes, two at a time; prerequisites first, so that a plugin that does not load is told
// once and not forty times. The children are forks: loading LibTorch anew for each check would take
// ten times as long as the checks themselves (docs/decisions/0025).
#include "conformance/run_checks.hpp"

#include "base/error.hpp"
#include "base/suggest.hpp"
#include "conformance/subject.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace topress::conformance {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kMark = "topress-check-outcome ";
constexpr std::string_view kOpens = "opens";
constexpr std::string_view kStarts = "starts";
constexpr std::size_t kChildren = 2;  // more would only wait for memory and processors

std::string quoted(const std::string& text) {
    const std::string_view plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,";
    if (!text.empty() && text.find_first_not_of(plain) == std::string::npos) {
        return text;
    }
    std::string result = "'";
    for (const char c : text) {
        result += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return result + "'";
}

std::string reproduce(const RunOptions& options, const Check& check) {
    return "topress plugin check " + quoted(options.file) + " --only " + std::string(check.id) +
           " --seed " + std::to_string(options.seed) + " --in-process";
}

double since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

void add_lines(Outcome& outcome, const std::string& text) {
    std::size_t start = 0;
    while (start < text.size()) {
        const std::size_t end = std::min(text.find('\n', start), text.size());
        outcome.details.push_back(text.substr(start, end - start));
        start = end + 1;
    }
}

/// What a child does: the check, and its outcome on the last line. Only the check that starts the
/// plugin ends as a program does, with every destructor of the plugin; tearing down LibTorch takes
/// longer than most checks.
int answer(const Check& check, const RunOptions& options) {
    {
        Subject subject(options.file, options.seed);
        const std::string line = to_line(run_here(check, subject));
        std::fputs(line.c_str(), stdout);
        std::fflush(stdout);
    }
    if (check.id != kStarts) {
        std::_Exit(0);
    }
    return 0;
}

bool is_complete(const std::string& refusal_code) {
    return refusal_code != "plugin/not-elf" && refusal_code != "plugin/wrong-architecture" &&
           refusal_code != "plugin/truncated" && refusal_code != "plugin/cannot-load";
}

/// What the first checks found, as far as they were run.
struct Known {
    std::optional<Status> opens;
    std::optional<Status> starts;
};

bool is_bad(const std::optional<Status>& status) {
    return status && *status != Status::Pass && *status != Status::Warn;
}

/// Why a check cannot be run at all, from what is known so far.
std::optional<Outcome> missing_prerequisite(const Check& check,
                                            const Subject& subject,
                                            const Known& known) {
    const plugin::CatalogEntry& entry = subject.entry();
    const bool is_refused = entry.verdict != plugin::Verdict::Loadable;
    if (is_refused && check.needed == Requires::Complete && !is_complete(entry.refusal.code)) {
        return skipped("no whole library for this machine: " + entry.refusal.code);
    }
    if (is_refused && check.needed > Requires::Complete) {
        return skipped("the plugin is refused: " + entry.refusal.code);
    }
    if (check.needed >= Requires::Opened && is_bad(known.opens)) {
        return skipped("the plugin cannot be opened: see 'opens'");
    }
    if (check.needed == Requires::Loaded && is_bad(known.starts)) {
        return skipped("the plugin does not start: see 'starts'");
    }
    return std::nullopt;
}

class Run {
  public:
    Run(const RunOptions& options, std::vector<const Check*> checks)
        : options_(options), subject_(options.file, options.seed) {
        report_.file = options.file;
        report_.seed = options.seed;
        if (subject_.entry().metadata) {
            report_.plugin = subject_.entry().metadata->id;
            report_.version = subject_.entry().metadata->version;
        }
        for (const Check* check : checks) {
            report_.results.push_back({check, {}, 0, reproduce(options, *check)});
        }
    }

    Report run() {
        const auto start = Clock::now();
        // Everything that needs an open or a started plugin waits for the check that makes it so.
        known_.opens = run_first(kOpens);
        known_.starts = run_first(kStarts);
        std::vector<Result*> others;
        for (Result& result : report_.results) {
            if (result.check->id != kOpens && result.check->id != kStarts) {
                others.push_back(&result);
            }
        }
        run_all(others);
        report_.seconds = since(start);
        return std::move(report_);
    }

  private:
    /// Nothing if it was not asked for.
    std::optional<Status> run_first(std::string_view id) {
        for (Result& result : report_.results) {
            if (result.check->id == id) {
                run_all({&result});
                return result.outcome.status;
            }
        }
        return std::nullopt;
    }

    void run_all(const std::vector<Result*>& results) {
        std::vector<Result*> possible;
        for (Result* result : results) {
            if (const auto missing = missing_prerequisite(*result->check, subject_, known_)) {
                result->outcome = *missing;
            } else {
                possible.push_back(result);
            }
        }
        options_.in_process ? run_one_by_one(possible) : run_apart(possible);
    }

    void run_one_by_one(const std::vector<Result*>& results) {
        for (Result* result : results) {
            const auto start = Clock::now();
            result->outcome = run_here(*result->check, subject_);
            result->seconds = since(start);
        }
    }

    void run_apart(const std::vector<Result*>& results) {
        const auto make = [&](std::size_t i) {
            ChildOptions child;
            child.body = [this, &check = *results[i]->check] { return answer(check, options_); };
            child.timeout = options_.timeout;
            child.memory_limit_bytes = options_.memory_mb << 20U;
            child.cancelled = options_.cancelled;
            return child;
        };
        const auto ended = [&](std::size_t i, const ChildResult& child) {
            results[i]->outcome = judge(child, options_);
            results[i]->seconds = child.seconds;
        };
        run_children(results.size(), kChildren, make, ended);
    }

    const RunOptions& options_;
    Subject subject_;
    Report report_;
    Known known_;
};

[[noreturn]] void refuse_unknown(const std::string& id) {
    std::vector<std::string> ids;
    for (const Check& check : all_checks()) {
        ids.emplace_back(check.id);
    }
    Diagnostic diagnostic;
    diagnostic.code = "usage/unknown-check";
    diagnostic.message = "there is no check '" + id + "'";
    const auto close = nearest(id, ids);
    diagnostic.hint =
        close ? "did you mean '" + *close + "'?" : "`topress plugin check --list` shows them all";
    throw DiagnosticError({diagnostic});
}

std::vector<const Check*> chosen_checks(const std::vector<std::string>& only) {
    for (const std::string& id : only) {
        if (find_check(id) == nullptr) {
            refuse_unknown(id);
        }
    }
    std::vector<const Check*> checks;
    for (const Check& check : all_checks()) {
        if (only.empty() || std::count(only.begin(), only.end(), check.id) != 0) {
            checks.push_back(&check);
        }
    }
    return checks;
}

}  // namespace

std::size_t Report::count(Status status) const {
    return static_cast<std::size_t>(
        std::count_if(results.begin(), results.end(), [status](const Result& result) {
            return result.outcome.status == status;
        }));
}

bool Report::is_good() const {
    return count(Status::Fail) == 0 && count(Status::Crashed) == 0;
}

Report run_checks(const RunOptions& options) {
    return Run(options, chosen_checks(options.only)).run();
}

Outcome judge(const ChildResult& child, const RunOptions& options) {
    const std::optional<Outcome> answer = find_outcome(child.output);
    Outcome outcome{Status::Crashed, "", {}};
    switch (child.end) {
        case ChildResult::End::Exited:
            if (answer && (child.code == 0 || child.code == static_cast<int>(ExitStatus::Plugin))) {
                return *answer;
            }
            outcome.message = "the process ended with status " + std::to_string(child.code) +
                              (answer ? " after the check: " + answer->message : "");
            break;
        case ChildResult::End::Signalled:
            outcome.message = "the process was ended by " + signal_name(child.signal) +
                              (answer ? ", after the check had finished" : "");
            break;
        case ChildResult::End::TimedOut:
            outcome.status = Status::Fail;
            outcome.message =
                "no answer within " +
                std::to_string(
                    std::chrono::duration_cast<std::chrono::seconds>(options.timeout).count()) +
                " s: it hangs, or --timeout is too short";
            break;
        case ChildResult::End::MemoryExceeded:
            outcome.status = Status::Fail;
            outcome.message = "its process held more than " + std::to_string(options.memory_mb) +
                              " MiB of memory and was stopped";
            break;
        case ChildResult::End::Cancelled:
            throw Error("run/interrupted", "the checks were interrupted");
    }
    add_lines(outcome, child.error_tail);
    return outcome;
}

Outcome run_here(const Check& check, Subject& subject) {
    try {
        return check.run(subject);
    } catch (const DiagnosticError& error) {
        return failed(error.diagnostics().front().message + " [" +
                      error.diagnostics().front().code + "]");
    } catch (const Error& error) {
        Outcome outcome = failed(std::string(error.what()) + " [" + error.code() + "]");
        if (!error.where().empty()) {
            outcome.details.push_back("at " + error.where());
        }
        return outcome;
    } catch (const std::exception& error) {
        return failed(error.what());
    } catch (...) {
        return failed("an exception of unknown type came out of the plugin");
    }
}

std::string to_line(const Outcome& outcome) {
    const nlohmann::ordered_json json = {{"status", to_string(outcome.status)},
                                         {"message", outcome.message},
                                         {"details", outcome.details}};
    return std::string("\n").append(kMark) +
           json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::optional<Outcome> find_outcome(const std::string& output) {
    const std::size_t mark = output.rfind(std::string("\n").append(kMark));
    if (mark == std::string::npos) {
        return std::nullopt;
    }
    const std::size_t start = mark + 1 + kMark.size();
    const std::string line = output.substr(start, output.find('\n', start) - start);
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (!json.is_object()) {
        return std::nullopt;
    }
    const auto status = parse_status(json.value("status", ""));
    if (!status) {
        return std::nullopt;
    }
    return Outcome{
        *status, json.value("message", ""), json.value("details", std::vector<std::string>{})};
}

}  // namespace topress::conformance
