// explore.json: the document of `topress explore`, which the report page shows.
#pragma once

#include "explore/compare.hpp"
#include "pipeline/documents.hpp"

#include <string>

namespace topress::explore {

/// How an exploration went.
struct Progress {
    std::string state = "running";  ///< "running", "finished" or "interrupted"
    std::string command_line;
    double seconds = 0;
    Diagnostics diagnostics;
};

/// Stage runs and finishing runs of an exploration.
struct Counts {
    std::size_t stage_runs = 0;  ///< of one round
    std::size_t finish_runs = 0;
    std::size_t rounds = 0;
    std::size_t planned = 0;   ///< of all rounds, finishing runs included
    std::size_t computed = 0;  ///< by this call
    std::size_t failed = 0;    ///< runs
};

[[nodiscard]] Counts count(const Experiment& experiment, const Results& results);

/// Relations of rule sets that a decided pair turns round.
struct ContradictedRule {
    std::string before;  ///< as the rule has it
    std::string after;
    std::string declared_by;
    std::string reason;
    double difference = 0;  ///< what going against it gained
};

[[nodiscard]] std::vector<ContradictedRule> contradicted_rules(const Experiment& experiment,
                                                               const Findings& findings);

[[nodiscard]] pipeline::Json to_json(const Experiment& experiment,
                                     const Modes& modes,
                                     const Results& results,
                                     const Findings& findings,
                                     const Progress& progress);

}  // namespace topress::explore
