// Scripts for sbatch; tests run the same scripts with a shell.
#include "explore/slurm.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "explore/execute.hpp"

#include <algorithm>
#include <map>
#include <sstream>

namespace topress::explore {
namespace {

namespace fs = std::filesystem;

/// For a shell, whatever is in it.
std::string quoted(const std::string& text) {
    std::string result = "'";
    for (const char letter : text) {
        if (letter == '\'') {
            result.append("'\\''");
        } else {
            result.push_back(letter);
        }
    }
    result.push_back('\'');
    return result;
}

std::string command_line(const SlurmCall& call) {
    std::string line = quoted(call.program) + " explore";
    for (const std::string& argument : call.arguments) {
        line.append(" ").append(quoted(argument));
    }
    return line;
}

std::string head(const Experiment& experiment, const std::string& name) {
    return "#!/bin/bash\n#SBATCH --job-name=" + name +
           "\n#SBATCH --cpus-per-task=" + std::to_string(experiment.threads) +
           "\n#SBATCH --output=" + name + "-%A-%a.log\nset -eu\n";
}

std::string task_script(const Experiment& experiment, const SlurmCall& call) {
    return head(experiment, "topress-run") +
           "# One run: the line of wave-$1.txt whose number is that of the array task.\n"
           "here=$(cd \"${TOPRESS_SLURM_DIR:-$(dirname \"$0\")}\" && pwd)\n"
           "branch=$(sed -n \"$((SLURM_ARRAY_TASK_ID + 1))p\" \"$here/wave-$1.txt\")\n"
           "exec " +
           command_line(call) + " --branch \"$branch\"\n";
}

std::string merge_script(const Experiment& experiment, const SlurmCall& call) {
    return head(experiment, "topress-merge") +
           "# Compares what the runs found; runs what a failed task left over.\nexec " +
           command_line(call) + "\n";
}

std::string submit_script(const std::vector<std::vector<std::string>>& all) {
    std::ostringstream text;
    text << "#!/bin/bash\n"
            "# Submits one array per wave, each after the one before it, and the merge step.\n"
            "set -eu\n"
            "cd \"$(dirname \"$0\")\"\n"
            "export TOPRESS_SLURM_DIR=$PWD  # sbatch runs a copy of the script\n";
    std::string after;
    for (std::size_t wave = 0; wave < all.size(); ++wave) {
        text << "job=$(sbatch --parsable " << after << "--array=0-" << all[wave].size() - 1
             << " task.sbatch " << wave << ")\n";
        after = "--dependency=afterany:\"$job\" ";
    }
    text << "sbatch " << after << "merge.sbatch\n";
    return text.str();
}

void make_executable(const fs::path& file) {
    std::error_code ignored;
    fs::permissions(file, fs::perms::owner_exec, fs::perm_options::add, ignored);
}

}  // namespace

std::vector<std::vector<std::string>> waves(const Experiment& experiment) {
    std::vector<std::vector<std::string>> all;
    std::map<std::uint64_t, bool> has_baseline;  // by seed: some run before makes it
    for (const Round& round : experiment.rounds) {
        std::vector<std::size_t> wave_of;
        for (std::size_t order = 0; order < experiment.orders.size(); ++order) {
            const auto& shared = experiment.tree.waits_for[order];
            std::size_t wave = shared ? wave_of[*shared] + 1 : 0;
            if (!shared && has_baseline[round.seed]) {
                wave = 1;
            }
            has_baseline[round.seed] = true;
            wave_of.push_back(wave);
            all.resize(std::max(all.size(), wave + 1));
            all[wave].push_back(branch_name(round, experiment.orders[order]));
        }
    }
    return all;
}

void write_slurm(const Experiment& experiment, const SlurmCall& call, const fs::path& folder) {
    std::error_code failed;
    fs::create_directories(folder, failed);
    if (failed) {
        throw Error("file/cannot-write",
                    "cannot create the folder for the scripts: " + failed.message(),
                    folder.string(),
                    "choose another one with --emit-slurm");
    }
    const auto all = waves(experiment);
    for (std::size_t wave = 0; wave < all.size(); ++wave) {
        std::string lines;
        for (const std::string& branch : all[wave]) {
            lines.append(branch).push_back('\n');
        }
        write_file_atomically(folder / ("wave-" + std::to_string(wave) + ".txt"), lines);
    }
    write_file_atomically(folder / "task.sbatch", task_script(experiment, call));
    write_file_atomically(folder / "merge.sbatch", merge_script(experiment, call));
    write_file_atomically(folder / "submit.sh", submit_script(all));
    for (const char* name : {"task.sbatch", "merge.sbatch", "submit.sh"}) {
        make_executable(folder / name);
    }
}

}  // namespace topress::explore
