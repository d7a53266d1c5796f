// An experiment with made-up results, for the tests of what is made of them.
#pragma once

#include "explore/compare.hpp"

#include <functional>

namespace topress::explore::testing {

/// Labels a, b, c ... of techniques test.a, test.b ...; one setting; seeds 1, 2, 3.
inline Experiment make_experiment(const Sequence& labels, const Modes& modes, int seeds = 3) {
    Experiment experiment;
    experiment.labels = labels;
    experiment.plan.config.model.architecture = "resnet";
    experiment.plan.config.model.depth = 14;
    experiment.plan.config.data.dataset = "mnist";
    for (const std::string& label : labels) {
        pipeline::PlannedStage stage;
        stage.label = label;
        stage.technique.id = "test." + label;
        experiment.plan.stages.push_back(std::move(stage));
    }
    for (int seed = 1; seed <= seeds; ++seed) {
        experiment.rounds.push_back({"", std::uint64_t(seed), {}});
    }
    experiment.orders = orders_of(modes, labels);
    experiment.tree = make_tree(experiment.orders);
    return experiment;
}

using Accuracy = std::function<double(const Sequence&, std::uint64_t seed)>;

/// Every run finished, with this accuracy at a BitOpsCR of 2 per technique; the original has 0.9.
inline Results make_results(const Experiment& experiment, const Accuracy& accuracy) {
    Results results;
    for (const Round& round : experiment.rounds) {
        results.emplace_back();
        for (const Sequence& order : experiment.orders) {
            BranchResult result;
            result.state = BranchResult::State::Finished;
            result.stages.push_back({"baseline", 0.9, 100, 1024, 1, 1, 400, 1, true});
            double bitops = 1024;
            for (const std::string& label : order) {
                bitops /= 2;
                result.stages.push_back({label, 0.85, 100, bitops, 1024 / bitops, 1, 400, 1, true});
            }
            result.stages.back().accuracy = accuracy(order, round.seed);
            results.back().push_back(std::move(result));
        }
    }
    return results;
}

}  // namespace topress::explore::testing
