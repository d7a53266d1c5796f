// Runs are `topress run --brief`; the stage cache carries what they share.
#include "explore/execute.hpp"

#include "base/child_process.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"
#include "pipeline/stage_key.hpp"

#include <algorithm>
#include <limits>
#include <map>

namespace topress::explore {
namespace {

namespace fs = std::filesystem;

/// One run: an order in a round.
struct Task {
    std::size_t round = 0;
    std::size_t order = 0;
    std::optional<std::size_t> waits_for;  ///< index of a task
    std::string name;
    std::string config;  ///< TOML
    std::string key;
};

/// Stages of which the last one fails in this round.
struct FailedBeginning {
    std::size_t round = 0;
    Sequence beginning;
    BranchResult result;
};

/// Everything that may change what a run comes to, data apart: who changes pictures starts a new
/// exploration.
std::string key_of(const std::string& config,
                   const std::string& program,
                   const std::vector<std::string>& plugins) {
    Hasher hasher;
    hasher.add(config).add(program);
    for (const std::string& plugin : plugins) {
        hasher.add(plugin);
    }
    return hasher.hex();
}

std::vector<std::string> plugin_hashes(const pipeline::Plan& plan) {
    std::vector<std::string> hashes;
    for (const pipeline::PlannedStage& stage : plan.stages) {
        hashes.push_back(pipeline::hash_of_file(stage.plugin.path));
    }
    return hashes;
}

class Execution {
  public:
    Execution(const Experiment& experiment, const ExecuteOptions& options)
        : experiment_(experiment), options_(options) {
        results_.assign(experiment.rounds.size(),
                        std::vector<BranchResult>(experiment.orders.size()));
        make_tasks();
    }

    Results run() {
        take_over_finished();
        std::size_t left = 0;
        for (const Task& task : tasks_) {
            left += is_pending(task) ? 1U : 0U;
        }
        std::map<std::size_t, std::size_t> started;  // child -> task
        const auto make = [&](std::size_t child) -> std::optional<ChildOptions> {
            const auto task = next();
            if (!task || is_cancelled()) {
                return std::nullopt;
            }
            started[child] = *task;
            return start(tasks_[*task]);
        };
        const auto ended = [&](std::size_t child, const ChildResult& result) {
            finish(tasks_[started.at(child)], result);
        };
        run_children(left, static_cast<std::size_t>(experiment_.jobs), make, ended);
        return std::move(results_);
    }

  private:
    void make_tasks() {
        const std::string program = pipeline::hash_of_file(own_program());
        const std::vector<std::string> plugins = plugin_hashes(experiment_.plan);
        std::map<std::uint64_t, std::size_t> first_of_seed;  // runs the baseline
        for (std::size_t round = 0; round < experiment_.rounds.size(); ++round) {
            const std::size_t base = tasks_.size();
            const Round& at = experiment_.rounds[round];
            for (std::size_t order = 0; order < experiment_.orders.size(); ++order) {
                Task task{round, order, {}, branch_name(at, experiment_.orders[order]), {}, {}};
                if (const auto shared = experiment_.tree.waits_for[order]) {
                    task.waits_for = base + *shared;
                } else if (const auto first = first_of_seed.find(at.seed);
                           first != first_of_seed.end()) {
                    task.waits_for = first->second;
                }
                first_of_seed.emplace(at.seed, tasks_.size());
                task.config = branch_config(experiment_, at, experiment_.orders[order]);
                task.key = key_of(task.config, program, plugins);
                tasks_.push_back(std::move(task));
            }
        }
    }

    [[nodiscard]] BranchResult& result_of(const Task& task) {
        return results_[task.round][task.order];
    }

    [[nodiscard]] bool is_selected(const Task& task) const {
        return options_.only.empty() ||
               std::ranges::find(options_.only, task.name) != options_.only.end();
    }

    [[nodiscard]] bool is_pending(const Task& task) {
        return result_of(task).state == BranchResult::State::Pending && is_selected(task);
    }

    [[nodiscard]] bool is_cancelled() const { return options_.cancelled && options_.cancelled(); }

    [[nodiscard]] fs::path folder_of(const Task& task) const {
        return options_.output / "branches" / task.name;
    }

    void take_over_finished() {
        for (const Task& task : tasks_) {
            if (!is_finished_under(folder_of(task), task.key)) {
                continue;
            }
            BranchResult found = read_result(folder_of(task));
            if (found.state == BranchResult::State::Finished) {
                for (StageFigures& stage : found.stages) {
                    stage.computed = false;
                }
                result_of(task) = std::move(found);
            }
        }
        if (options_.found) {
            options_.found(results_);
        }
        if (options_.moved) {
            options_.moved(nullptr, nullptr, nullptr, standing());
        }
    }

    /// One whose shared beginning is there; else any, which then waits for it by itself.
    std::optional<std::size_t> next() {
        fail_what_cannot_run();
        std::optional<std::size_t> any;
        for (std::size_t index = 0; index < tasks_.size(); ++index) {
            if (!is_pending(tasks_[index])) {
                continue;
            }
            const auto& shared = tasks_[index].waits_for;
            if (!shared || result_of(tasks_[*shared]).state == BranchResult::State::Finished ||
                result_of(tasks_[*shared]).state == BranchResult::State::Failed) {
                return index;
            }
            any = any ? any : std::optional(index);
        }
        return any;
    }

    /// The stage that failed there is the same stage here.
    void fail_what_cannot_run() {
        for (const FailedBeginning& failed : failed_) {
            const Sequence& prefix = failed.beginning;
            for (const Task& task : tasks_) {
                const Sequence& order = experiment_.orders[task.order];
                if (task.round == failed.round && is_pending(task) &&
                    prefix.size() <= order.size() &&
                    std::equal(prefix.begin(), prefix.end(), order.begin())) {
                    result_of(task) = failed.result;
                }
            }
        }
        failed_.clear();
    }

    ChildOptions start(const Task& task) {
        const fs::path folder = folder_of(task);
        std::error_code failed;
        fs::create_directories(folder, failed);
        write_file_atomically(folder / "branch.toml", task.config);
        result_of(task).state = BranchResult::State::Running;
        if (options_.started) {
            options_.started(experiment_.rounds[task.round], experiment_.orders[task.order]);
        }
        ChildOptions child;
        child.program = own_program();
        child.arguments = {"run",
                           (folder / "branch.toml").string(),
                           "--output",
                           folder.string(),
                           "--brief",
                           "--quiet",
                           "--resume"};
        child.cancelled = options_.cancelled;
        return child;
    }

    void finish(const Task& task, const ChildResult& child) {
        BranchResult& result = result_of(task);
        if (is_cancelled() && (child.end != ChildResult::End::Exited || child.code != 0)) {
            result = {};
            return;
        }
        result = read_result(folder_of(task));
        if (child.end == ChildResult::End::Exited && child.code == 0) {
            mark_finished(folder_of(task), task.key);
        } else {
            explain(child, result);
            note_failed_beginning(task, result);
        }
        note_times(result);
        if (options_.moved) {
            options_.moved(&experiment_.rounds[task.round],
                           &experiment_.orders[task.order],
                           &result,
                           standing());
        }
    }

    static void explain(const ChildResult& child, BranchResult& result) {
        result.state = BranchResult::State::Failed;
        if (child.end == ChildResult::End::Signalled) {
            result.error_code = "explore/run-crashed";
            result.error = "the run ended by " + signal_name(child.signal);
        } else if (result.error.empty() || result.error_code == "explore/no-ledger") {
            result.error_code = "explore/run-failed";
            result.error = child.error_tail;
        }
    }

    /// Rows are the baseline and the stages that went well; the next one is the one that failed.
    void note_failed_beginning(const Task& task, const BranchResult& result) {
        const Sequence& order = experiment_.orders[task.order];
        if (result.stages.empty() || result.stages.size() > order.size()) {
            return;
        }
        const auto length = static_cast<std::ptrdiff_t>(result.stages.size());
        failed_.push_back({task.round, Sequence(order.begin(), order.begin() + length), result});
    }

    void note_times(const BranchResult& result) {
        for (const StageFigures& stage : result.stages) {
            if (stage.computed) {
                seconds_[stage.label].push_back(stage.seconds);
            }
        }
    }

    [[nodiscard]] double mean_seconds(const std::string& label) const {
        const auto found = seconds_.find(label);
        if (found == seconds_.end()) {
            return std::numeric_limits<double>::quiet_NaN();
        }
        double sum = 0;
        for (const double seconds : found->second) {
            sum += seconds;
        }
        return sum / static_cast<double>(found->second.size());
    }

    [[nodiscard]] Standing standing() {
        Standing now;
        double left = 0;
        const std::size_t finishing = experiment_.finish.empty() ? 0 : 1;
        for (const Task& task : tasks_) {
            const Sequence& order = experiment_.orders[task.order];
            const std::size_t own = experiment_.tree.own_stages[task.order];
            const auto state = result_of(task).state;
            const bool is_done =
                state == BranchResult::State::Finished || state == BranchResult::State::Failed;
            ++now.branches;
            now.branches_done += is_done ? 1U : 0U;
            now.stages += own + finishing;
            now.stages_done += is_done ? own + finishing : 0;
            for (std::size_t i = order.size() - own; !is_done && i < order.size(); ++i) {
                left += mean_seconds(order[i]);
            }
            left += !is_done && finishing > 0 ? mean_seconds(experiment_.finish) : 0;
        }
        now.eta_seconds = left / experiment_.jobs;
        return now;
    }

    const Experiment& experiment_;
    const ExecuteOptions& options_;
    Results results_;
    std::vector<Task> tasks_;
    std::vector<FailedBeginning> failed_;
    std::map<std::string, std::vector<double>> seconds_;  ///< by label
};

}  // namespace

std::string branch_name(const Round& round, const Sequence& order) {
    return round.name() + "/" + name_of(order);
}

Results execute(const Experiment& experiment, const ExecuteOptions& options) {
    return Execution(experiment, options).run();
}

}  // namespace topress::explore
