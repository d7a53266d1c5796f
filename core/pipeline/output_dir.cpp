// Files of a run.
#include "pipeline/output_dir.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "network/serialize.hpp"
#include "pipeline/report.hpp"

#include <cctype>
#include <cstdio>
#include <system_error>

namespace topress::pipeline {
namespace {

namespace fs = std::filesystem;

/// Labels are written by users: only letters that are harmless in a file name are kept.
std::string file_name_of(const std::string& label) {
    std::string name;
    for (const char letter : label) {
        const bool harmless =
            std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_' || letter == '-';
        name += harmless ? letter : '_';
    }
    return name;
}

fs::path with_suffix(fs::path path, const char* suffix) {
    path += suffix;
    return path;
}

}  // namespace

OutputDir::OutputDir(fs::path root) : root_(std::move(root)) {
    create_output_folder(root_ / "stages");
    log::set_file(root_ / "topress.log");
}

void OutputDir::clear(bool keep_checkpoints) const {
    std::error_code ignored;
    for (const char* name : {"ledger.json", "ledger.csv", "report.html", "network.safetensors"}) {
        if (fs::remove(root_ / name, ignored)) {
            log::debug("replaces " + (root_ / name).string() + " of an earlier run");
        }
    }
    if (!keep_checkpoints) {
        fs::remove_all(root_ / "stages", ignored);
        create_output_folder(root_ / "stages");
    }
}

void OutputDir::write_plan(const Plan& plan) const {
    write_file_atomically(root_ / "config.toml", resolved_config(plan));
    write_file_atomically(root_ / "plan.json", to_text(to_json(plan)));
}

void OutputDir::write_ledger(const Ledger& ledger, const Plan& plan, bool with_report) const {
    const Json document = to_json(ledger);
    write_file_atomically(root_ / "ledger.json", to_text(document));
    write_file_atomically(root_ / "ledger.csv", to_csv(ledger));
    if (with_report) {
        write_file_atomically(root_ / "report.html", render_report(document, to_json(plan)));
    }
}

void OutputDir::write_network(const network::Network& network,
                              const std::map<std::string, std::string>& metadata) const {
    network::save_network(network, root_ / "network.safetensors", metadata);
}

fs::path OutputDir::stage_path(std::size_t index, const std::string& label) const {
    char number[8];
    std::snprintf(number, sizeof number, "%02zu-", index % 1000);
    return root_ / "stages" / (number + file_name_of(label));
}

void OutputDir::write_checkpoint(std::size_t index,
                                 const std::string& key,
                                 const Checkpoint& checkpoint,
                                 const std::map<std::string, std::string>& metadata) const {
    const fs::path base = stage_path(index, checkpoint.row.stage);
    network::save_network(checkpoint.network, with_suffix(base, ".safetensors"), metadata);
    Json json;
    json["key"] = key;
    json.update(to_json(checkpoint));
    write_file_atomically(with_suffix(base, ".json"), to_text(json));
}

std::optional<Checkpoint> OutputDir::read_checkpoint(std::size_t index,
                                                     const std::string& label,
                                                     const std::string& key) const {
    const fs::path base = stage_path(index, label);
    try {
        const Json json = Json::parse(read_file(with_suffix(base, ".json")));
        if (json.at("key") != key) {
            return std::nullopt;
        }
        return checkpoint_from_json(json, network::load_network(with_suffix(base, ".safetensors")));
    } catch (const std::exception& error) {
        log::debug("no checkpoint for '" + label + "': " + error.what());
        return std::nullopt;
    }
}

}  // namespace topress::pipeline
