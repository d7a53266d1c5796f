// The ledger and its two written forms.
#include "pipeline/ledger.hpp"

#include "base/csv.hpp"

#include <cmath>
#include <cstdio>
#include <limits>

namespace topress::pipeline {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
const std::vector<const char*> kAccuracyNames = {"accuracy", "test_accuracy"};
const std::vector<const char*> kErrorNames = {"error", "r2", "test_error", "test_r2"};

double number_from(const Json& json) {
    return json.is_null() ? kNan : json.get<double>();
}

/// Regressions have their error in place of an accuracy, and R2 as the score beside it.
void put_score(Json& json,
               const std::string& prefix,
               double accuracy,
               const std::optional<double>& error) {
    if (error) {
        json[prefix + "error"] = number(*error);
        json[prefix + "r2"] = number(accuracy);
    } else {
        json[prefix + "accuracy"] = number(accuracy);
    }
}

struct Score {
    double accuracy = 0;
    std::optional<double> error;
};

bool has_score(const Json& json, const std::string& prefix) {
    return json.contains(prefix + "error") || json.contains(prefix + "accuracy");
}

Score score_from(const Json& json, const std::string& prefix) {
    if (json.contains(prefix + "error")) {
        return {number_from(json.at(prefix + "r2")), number_from(json.at(prefix + "error"))};
    }
    return {number_from(json.at(prefix + "accuracy")), std::nullopt};
}

Json exits_to_json(const std::vector<ExitFigures>& exits) {
    Json json = Json::array();
    for (const ExitFigures& exit : exits) {
        json.push_back(to_json(exit));
    }
    return json;
}

Json curves_to_json(const std::vector<train::EpochRecord>& curves, bool is_regression) {
    const char* score = is_regression ? "train_r2" : "train_accuracy";
    Json json = Json::array();
    for (const train::EpochRecord& epoch : curves) {
        json.push_back({{"phase", epoch.phase},
                        {"epoch", number(epoch.epoch)},
                        {"loss", number(epoch.loss)},
                        {score, number(epoch.train_accuracy)},
                        {"learning_rate", number(epoch.learning_rate)},
                        {"seconds", number(epoch.seconds)}});
    }
    return json;
}

std::vector<ExitFigures> exits_from_json(const Json& json) {
    std::vector<ExitFigures> exits;
    for (const Json& exit : json) {
        const Score score = score_from(exit, "");
        exits.push_back({exit.at("name").get<std::string>(),
                         number_from(exit.at("threshold")),
                         number_from(exit.at("share")),
                         score.accuracy,
                         score.error});
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
        epoch.train_accuracy =
            number_from(entry.at(entry.contains("train_r2") ? "train_r2" : "train_accuracy"));
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
Json provenance_of_figures(bool is_regression) {
    Json json;
    for (const char* name : is_regression ? kErrorNames : kAccuracyNames) {
        json[name] = "measured";
    }
    json.update({{"macs", "computed"},
                 {"bitops", "computed"},
                 {"bitops_cr", "computed"},
                 {"parameters", "computed"},
                 {"stored_bytes", "computed"},
                 {"cr", "computed"},
                 {"seconds", "measured"},
                 {"latency_ms", "measured"},
                 {"latency_ratio", "measured"},
                 {"peak_memory_bytes", "measured"}});
    return json;
}

std::string figure(double value) {
    if (!std::isfinite(value)) {
        return "";
    }
    return number(value).dump();
}

std::string csv_line(const Row& row) {
    std::string line = csv_cell(row.stage) + "," + csv_cell(row.technique);
    const double accuracy_of_test = row.test_accuracy.value_or(kNan);
    std::vector<double> scores = {row.accuracy, accuracy_of_test};
    if (row.error) {
        scores = {*row.error, row.accuracy, row.test_error.value_or(kNan), accuracy_of_test};
    }
    for (const double score : scores) {
        line.append(",").append(figure(score));
    }
    for (const std::string& cell : {figure(row.macs),
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

bool is_regression(const Ledger& ledger) {
    return !ledger.rows.empty() && ledger.rows.front().error.has_value();
}

Json to_json(const ExitFigures& exit) {
    Json json;
    json["name"] = exit.name;
    json["threshold"] = number(exit.threshold);
    json["share"] = number(exit.share);
    put_score(json, "", exit.accuracy, exit.error);
    return json;
}

Json to_json(const Row& row) {
    Json json;
    json["stage"] = row.stage;
    json["technique"] = row.technique;
    put_score(json, "", row.accuracy, row.error);
    if (row.test_accuracy) {
        put_score(json, "test_", *row.test_accuracy, row.test_error);
    }
    for (const auto& [target, error] : row.errors) {
        json["errors"][target] = number(error);
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
    json["curves"] = curves_to_json(row.curves, row.error.has_value());
    return json;
}

Row row_from_json(const Json& json) {
    Row row;
    row.stage = json.at("stage").get<std::string>();
    row.technique = json.at("technique").get<std::string>();
    const Score score = score_from(json, "");
    row.accuracy = score.accuracy;
    row.error = score.error;
    if (has_score(json, "test_")) {
        const Score test = score_from(json, "test_");
        row.test_accuracy = test.accuracy;
        row.test_error = test.error;
    }
    const Json errors = json.value("errors", Json::object());
    for (const auto& [target, error] : errors.items()) {
        row.errors.emplace_back(target, number_from(error));
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
    json[is_regression(ledger) ? "error_split" : "accuracy_split"] = "validation";
    if (is_regression(ledger)) {
        json["error_measure"] = "rmse";
    }
    json["conditions"] = to_json(ledger.conditions);
    json["figures"] = provenance_of_figures(is_regression(ledger));
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
    std::string text = "stage,technique";
    for (const char* name : is_regression(ledger) ? kErrorNames : kAccuracyNames) {
        text.append(",").append(name);
    }
    text += ",macs,bitops,bitops_cr,parameters,stored_bytes,cr,seconds,latency_ms,latency_ratio\n";
    for (const Row& row : ledger.rows) {
        text += csv_line(row);
    }
    return text;
}

}  // namespace topress::pipeline
