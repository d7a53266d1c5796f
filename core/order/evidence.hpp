// Evidence: what was measured about the order of pairs of techniques, where, and how surely; read
// from TOML (format: docs/evidence.md).
#pragma once

#include "order/constraint.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace topress::order {

/// Where something was measured, or where a run takes place. An empty list means anywhere.
struct Scope {
    std::vector<std::string> networks;  ///< architecture, alone or with its depth: "resnet8"
    std::vector<std::string> datasets;
    std::string budget;  ///< free text
};

/// One pair of techniques in one file.
/// Units: difference and interval: accuracy as a fraction, first order minus second order.
struct PairMeasurement {
    std::string before;  ///< technique id
    std::string after;
    double difference = 0;  ///< mean over seeds; positive speaks for this order
    double low = 0;         ///< 95 % confidence interval of that mean
    double high = 0;
    int seeds = 0;
    Provenance where;
};

/// How much one technique compresses by itself.
struct IntensityMeasurement {
    std::string technique;
    double bitops_ratio = 1;  ///< BitOps before / after
    Provenance where;
};

/// One evidence file.
struct Evidence {
    std::string name;
    std::string summary;
    Scope scope;
    std::vector<PairMeasurement> pairs;
    std::vector<IntensityMeasurement> intensities;
};

/// Whether what was measured in `measured` holds for a run in `run`: the networks have a name in
/// common, and so do the data sets.
[[nodiscard]] bool covers(const Scope& measured, const Scope& run);

/// Reads an evidence file. Throws: DiagnosticError with every mistake of it (config/bad-evidence),
/// each with file, line and column.
[[nodiscard]] Evidence load_evidence(const std::filesystem::path& path);

}  // namespace topress::order
