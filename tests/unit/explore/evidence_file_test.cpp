// What an exploration writes is what a plan reads.
#include "explore/evidence_file.hpp"

#include "base/files.hpp"
#include "experiment.hpp"
#include "order/evidence.hpp"
#include "unit/pipeline/fixtures.hpp"

#include <doctest/doctest.h>

using namespace topress;
using namespace topress::explore;
using namespace topress::explore::testing;

namespace {

double a_first(const Sequence& order, std::uint64_t seed) {
    return (order.front() == "a" ? 0.85 : 0.8) + 0.0011 * double(seed);
}

}  // namespace

TEST_SUITE("explore") {
    TEST_CASE("evidence file: pairs, scope and intensities read back to the last digit") {
        const Experiment experiment = make_experiment({"a", "b", "c"}, {.pairs = true});
        const Results results = make_results(experiment, a_first);
        const Findings findings = compare(experiment, results);
        const test::TemporaryFolder folder;
        write_file_atomically(folder.path() / "found.toml",
                              evidence_toml(experiment, results, findings));
        const order::Evidence read = order::load_evidence(folder.path() / "found.toml");
        CHECK(read.name == "found");
        CHECK(read.scope.networks == std::vector<std::string>{"resnet14"});
        CHECK(read.scope.datasets == std::vector<std::string>{"mnist"});
        REQUIRE(read.pairs.size() == 3);
        CHECK(read.pairs[0].before == "test.a");
        CHECK(read.pairs[0].after == "test.b");
        CHECK(read.pairs[0].difference == findings.pairs[0].estimate.mean);
        CHECK(read.pairs[0].low == findings.pairs[0].estimate.low);
        CHECK(read.pairs[0].seeds == 3);
        REQUIRE(read.intensities.size() == 3);
        CHECK(read.intensities[0].bitops_ratio == doctest::Approx(2));
    }

    TEST_CASE("evidence file: one seed is no evidence") {
        const Experiment experiment = make_experiment({"a", "b"}, {.pairs = true}, 1);
        const Results results = make_results(experiment, a_first);
        CHECK(evidence_toml(experiment, results, compare(experiment, results)).empty());
    }
}
