// Waves of runs, each after the ones it needs.
#include "explore/slurm.hpp"

#include "experiment.hpp"
#include "explore/execute.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace topress::explore;
using namespace topress::explore::testing;

TEST_SUITE("explore") {
    TEST_CASE("slurm: every run stands in a later wave than the one it waits for") {
        const Experiment experiment =
            make_experiment({"a", "b", "c", "d"}, {.pairs = true, .permutations = true}, 2);
        const auto all = waves(experiment);
        const auto wave_of = [&](const std::string& name) {
            return std::ranges::find_if(all,
                                        [&](const auto& wave) {
                                            return std::ranges::find(wave, name) != wave.end();
                                        }) -
                   all.begin();
        };
        std::size_t runs = 0;
        for (const auto& wave : all) {
            runs += wave.size();
        }
        CHECK(runs == 2 * 36);
        CHECK(all[0] == std::vector<std::string>{"s1/a-b-c-d", "s2/a-b-c-d"});
        for (std::size_t i = 0; i < experiment.orders.size(); ++i) {
            if (const auto shared = experiment.tree.waits_for[i]) {
                const Round& round = experiment.rounds[0];
                CHECK(wave_of(branch_name(round, experiment.orders[i])) >
                      wave_of(branch_name(round, experiment.orders[*shared])));
            }
        }
    }
}
