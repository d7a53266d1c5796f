// The ledger and its two written forms.
#include "pipeline/ledger.hpp"

#include <cmath>
#include <cstdio>
#include <limits>

namespace topress::pipeline {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double number_from(const Json& json) {
    return json.is_null() ? kNan : json.get<double>();
}

Json exits_to_json(const std::vector<ExitFigures>& exits) {
    Json json = Json::array();
    for (const ExitFigures& exit : exits) {
        json.push_back({{"name", exit.name},
                        {"threshold", number(exit.threshold)},
                        {"share", number(exit.share)},
                        {"accuracy", number(exit.accuracy)}});
    }
    return json;
}

Json curves_to_json(const std::vector<train::EpochRecord>& curves) {
    Json json = Json::array();
    for (const train::EpochRecord& epoch : curves) {
        json.push_back({{"phase", epoch.phase},
                        {"epoch", number(epoch.epoch)},
                        {"loss", number(epoch.loss)},
                        {"train_accuracy", number(epoch.train_accuracy)},
                        {"learning_rate", number(epoch.learning_rate)},
                        {"seconds", number(epoch.seconds)}});
    }
    return json;
}

std::vector<ExitFigures> exits_from_json(const Json& json) {
    std::vector<ExitFigures> exits;
    for (const Json& exit : json) {
        exits.push_back({exit.at("name").get<std::string>(),
                         number_from(exit.at("threshold")),
                         number_from(exit.at("share")),
                         number_from(exit.at("accuracy"))});
    }
    return exits;
}

std::vector<train::EpochRecord> curves_from_json(const Json& json) {
    std::vector<train::EpochRecord> curves;
    for (const Json& entry : json) {
        train::EpochRecord epoch;
        epoch.phase = entry.at("phase").get<std::string>();
        epoch.epoch = number_from(entry.at("epoch"));
        epoch.loss = number_from(entry.at("loss"));
        epoch.train_accuracy = number_from(entry.at("train_accuracy"));
        epoch.learning_rate = number_from(entry.at("learning_rate"));
        epoch.seconds = number_from(entry.at("seconds"));
        curves.push_back(std::move(epoch));
    }
    return curves;
}

Json to_json(const Conditions& conditions) {
    Json json;
    json["config_file"] = conditions.config_file;
    json["dataset"] = conditions.dataset;
    json["device"] = conditions.device;
    json["version"] = conditions.version;
    json["torch_version"] = conditions.torch_version;
    json["seed"] = conditions.seed;
    json["threads"] = conditions.threads;
    json["train_samples"] = conditions.train_samples;
    json["validation_samples"] = conditions.validation_samples;
    json["test_samples"] = conditions.test_samples;
    json["latency_batch"] = conditions.latency_batch;
    json["config"] = conditions.config_text;
    return json;
}

/// Says of every figure where it comes from; the report prints these words in the table head.
Json provenance_of_figures() {
    return {{"accuracy", "measured"},
            {"test_accuracy", "measured"},
            {"macs", "computed"},
            {"bitops", "computed"},
            {"bitops_cr", "computed"},
            {"parameters", "computed"},
            {"stored_bytes", "computed"},
            {"cr", "computed"},
            {"seconds", "measured"},
            {"latency_ms", "measured"},
            {"latency_ratio", "measured"},
            {"peak_memory_bytes", "measured"}};
}

std::string quoted(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) {
        return text;
    }
    std::string result = "\"";
    for (const char letter : text) {
        result += letter == '"' ? "\"\"" : std::string(1, letter);
    }
    return result + "\"";
}

std::string figure(double value) {
    if (!std::isfinite(value)) {
        return "";
    }
    return number(value).dump();
}

std::string csv_line(const Row& row) {
    const std::string test = row.test_accuracy ? figure(*row.test_accuracy) : "";
    std::string line = quoted(row.stage) + "," + quoted(row.technique);
    for (const std::string& cell : {figure(row.accuracy),
                                    test,
                                    figure(row.macs),
                                    figure(row.bitops),
                                    figure(row.bitops_cr),
                                    figure(row.parameters),
                                    figure(row.stored_bytes),
                                    figure(row.cr),
                                    figure(row.seconds),
                                    figure(row.latency_ms),
                                    figure(row.latency_ratio)}) {
        line += "," + cell;
    }
    return line + "\n";
}

}  // namespace

StageCounts count_stages(const std::vector<Row>& rows) {
    StageCounts counts;
    for (const Row& row : rows) {
        ++(row.resumed ? counts.resumed : row.from_cache ? counts.from_cache : counts.computed);
    }
    return counts;
}

Row make_row(std::string stage,
             std::string technique,
             const network::Network& network,
             const network::Cost& baseline) {
    const network::Cost cost = network::cost_of(network);
    Row row;
    row.stage = std::move(stage);
    row.technique = std::move(technique);
    row.macs = cost.expected_macs;
    row.bitops = cost.expected_bitops;
    row.bitops_cr = baseline.expected_bitops / cost.expected_bitops;
    row.parameters = cost.parameters;
    row.stored_bytes = cost.stored_bytes;
    row.cr = baseline.stored_bytes / cost.stored_bytes;
    return row;
}

Json to_json(const Row& row) {
    Json json;
    json["stage"] = row.stage;
    json["technique"] = row.technique;
    json["accuracy"] = number(row.accuracy);
    if (row.test_accuracy) {
        json["test_accuracy"] = number(*row.test_accuracy);
    }
    json["macs"] = number(row.macs);
    json["bitops"] = number(row.bitops);
    json["bitops_cr"] = number(row.bitops_cr);
    json["parameters"] = number(row.parameters);
    json["stored_bytes"] = number(row.stored_bytes);
    json["cr"] = number(row.cr);
    json["seconds"] = number(row.seconds);
    json["latency_ms"] = number(row.latency_ms);
    json["latency_ratio"] = number(row.latency_ratio);
    json["peak_memory_bytes"] = number(row.peak_memory_bytes);
    json["resumed"] = row.resumed;
    json["from_cache"] = row.from_cache;
    json["recalibrated"] = row.recalibrated;
    json["exits"] = exits_to_json(row.exits);
    json["metrics"] = Json::object();
    for (const auto& [name, value] : row.metrics) {
        json["metrics"][name] = number(value);
    }
    json["curves"] = curves_to_json(row.curves);
    return json;
}

Row row_from_json(const Json& json) {
    Row row;
    row.stage = json.at("stage").get<std::string>();
    row.technique = json.at("technique").get<std::string>();
    row.accuracy = number_from(json.at("accuracy"));
    if (json.contains("test_accuracy")) {
        row.test_accuracy = number_from(json.at("test_accuracy"));
    }
    row.macs = number_from(json.at("macs"));
    row.bitops = number_from(json.at("bitops"));
    row.bitops_cr = number_from(json.at("bitops_cr"));
    row.parameters = number_from(json.at("parameters"));
    row.stored_bytes = number_from(json.at("stored_bytes"));
    row.cr = number_from(json.at("cr"));
    row.seconds = number_from(json.at("seconds"));
    row.latency_ms = number_from(json.at("latency_ms"));
    row.latency_ratio = number_from(json.at("latency_ratio"));
    row.peak_memory_bytes = number_from(json.at("peak_memory_bytes"));
    row.resumed = json.value("resumed", false);
    row.from_cache = json.value("from_cache", false);
    row.recalibrated = json.value("recalibrated", std::vector<std::string>());
    row.exits = exits_from_json(json.at("exits"));
    for (const auto& [name, value] : json.at("metrics").items()) {
        row.metrics.emplace_back(name, number_from(value));
    }
    row.curves = curves_from_json(json.at("curves"));
    return row;
}

Json to_json(const Ledger& ledger) {
    Json json = document_head("run", ledger.diagnostics);
    json["state"] = ledger.state;
    json["accuracy_split"] = "validation";
    json["conditions"] = to_json(ledger.conditions);
    json["figures"] = provenance_of_figures();
    const StageCounts counts = count_stages(ledger.rows);
    json["stages_computed"] = counts.computed;
    json["stages_from_cache"] = counts.from_cache;
    json["stages_resumed"] = counts.resumed;
    json["rows"] = Json::array();
    for (const Row& row : ledger.rows) {
        json["rows"].push_back(to_json(row));
    }
    json["layers"] = ledger.layers;
    return json;
}

std::string to_csv(const Ledger& ledger) {
    std::string text =
        "stage,technique,accuracy,test_accuracy,macs,bitops,bitops_cr,parameters,stored_bytes,cr,"
        "seconds,latency_ms,latency_ratio\n";
    for (const Row& row : ledger.rows) {
        text += csv_line(row);
    }
    return text;
}

}  // namespace topress::pipeline
