// Evidence: reading its files, pooling several, and what it does to an order.
#include "order/evidence.hpp"

#include "builders.hpp"
#include "order/explain.hpp"
#include "order/pooling.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <unistd.h>

using namespace topress::order;
using namespace topress::order::testing;

namespace {

constexpr const char* kWhole = R"(schema = 1
name = "first"
summary = "A test."
[scope]
networks = ["resnet8"]
datasets = ["fashion-mnist"]
budget = "2 epochs each"
[[pair]]
before = "distillation.student"
after = "pruning.channel"
difference = 0.0123
interval = [0.004, 0.020]
seeds = 3
[[intensity]]
technique = "quantization.qat"
bitops_ratio = 64.0
)";

std::filesystem::path write(const std::string& text) {
    const char* root = std::getenv("TOPRESS_TEST_BINARY_DIR");
    auto path =
        std::filesystem::path(root == nullptr ? "." : root) /
        ("evidence_test_" + std::to_string(::getpid()) + ".toml");  // CTest runs cases side by side
    std::ofstream(path, std::ios::binary) << text;
    return path;
}

Diagnostics load_failure(const std::string& text) {
    const auto path = write(text);
    Diagnostics found;
    try {
        static_cast<void>(load_evidence(path));
    } catch (const topress::DiagnosticError& error) {
        found = error.diagnostics();
    }
    std::filesystem::remove(path);
    return found;
}

std::string changed(const std::string& from, const std::string& to) {
    std::string text = kWhole;
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

/// One measurement of "a" before "b", in scope unless said otherwise.
Evidence evidence(const std::string& name,
                  double difference,
                  double half_width,
                  const std::string& dataset = "mnist") {
    Evidence file;
    file.name = name;
    file.scope.datasets = {dataset};
    file.pairs.push_back({"a",
                          "b",
                          difference,
                          difference - half_width,
                          difference + half_width,
                          3,
                          {Origin::Evidence, name, name + ".toml", 7, 1}});
    return file;
}

Request measured(std::vector<Evidence> files) {
    Request request = plain({"a", "b"});
    request.scope = {{"resnet", "resnet8"}, {"mnist"}, ""};
    request.evidence = std::move(files);
    return request;
}

RuleSet rule_set(const std::string& before, const std::string& after) {
    return {
        "rules",
        "",
        {{before, after, "", "so it is", "a paper", {Origin::RuleSet, "rules", "r.toml", 3, 1}}}};
}

}  // namespace

TEST_SUITE("order") {
    TEST_CASE("evidence: a file is read with its scope and its places") {
        const auto path = write(kWhole);
        const Evidence file = load_evidence(path);
        std::filesystem::remove(path);
        CHECK(file.name == "first");
        CHECK(file.scope.networks == Names{"resnet8"});
        REQUIRE(file.pairs.size() == 1);
        CHECK(file.pairs[0].difference == 0.0123);
        CHECK(file.pairs[0].high == 0.020);
        CHECK(file.pairs[0].seeds == 3);
        CHECK(file.pairs[0].where.line == 8);
        REQUIRE(file.intensities.size() == 1);
        CHECK(file.intensities[0].bitops_ratio == 64.0);
    }

    TEST_CASE("evidence: an interval of two seeds may be wider than any accuracy") {
        const Diagnostics found = load_failure(changed("[0.004, 0.020]", "[-1.98, 2.10]"));
        CHECK(found.empty());
    }

    TEST_CASE("evidence: every mistake is config/bad-evidence with its line") {
        struct Mistake {
            const char* from;
            const char* to;
            int line;
            const char* said;
        };

        const Mistake mistakes[] = {
            {"schema = 1", "schema = 2", 1, "schema"},
            {"schema = 1", "schema = ", 1, ""},
            {"seeds = 3", "seeds = 1", 13, "seeds"},
            {"seeds = 3", "seeds = 3.5", 13, "seeds"},
            {"seeds = 3\n", "", 8, "seeds"},
            {"seeds = 3", "seed = 3", 13, "unknown key"},
            {"[0.004, 0.020]", "[0.020, 0.030]", 12, "interval"},
            {"[0.004, 0.020]", "[0.004]", 12, "interval"},
            {"[0.004, 0.020]", "[nan, nan]", 12, "interval"},
            {"[0.004, 0.020]", "[-400, 400]", 12, "interval"},
            {"0.0123", "inf", 11, "finite"},
            {"0.0123", "\"1\"", 11, "finite"},
            {"\"distillation.student\"", "\"kind:static\"", 9, "trait"},
            {"\"distillation.student\"", "\"pruning.channel\"", 8, "before itself"},
            {"before = \"distillation.student\"\n", "", 8, "before"},
            {"bitops_ratio = 64.0", "bitops_ratio = 0", 16, "positive"},
            {"[[pair]]", "[pair]", 8, "list of tables"},
            {"[scope]", "[place]", 4, "unknown key"},
        };
        for (const Mistake& mistake : mistakes) {
            CAPTURE(mistake.to);
            const Diagnostics found = load_failure(changed(mistake.from, mistake.to));
            REQUIRE_FALSE(found.empty());
            bool at_line = false;
            for (const Diagnostic& finding : found) {
                CHECK(finding.code == "config/bad-evidence");
                at_line |= finding.location.line == mistake.line &&
                           contains(finding.message, mistake.said);
            }
            CHECK(at_line);
        }
        CHECK(load_failure(std::string(kWhole).substr(0, 11)).size() == 1);  // no [scope]
    }

    TEST_CASE("evidence: scopes share a network and a data set, or do not care") {
        const Scope run{{"resnet", "resnet14"}, {"mnist"}, ""};
        CHECK(covers({{}, {}, ""}, run));
        CHECK(covers({{"resnet"}, {"mnist"}, ""}, run));
        CHECK(covers({{"vgg16", "resnet14"}, {}, ""}, run));
        CHECK_FALSE(covers({{"resnet8"}, {"mnist"}, ""}, run));
        CHECK_FALSE(covers({{"resnet"}, {"cifar10"}, ""}, run));
    }

    TEST_CASE("pooling: one measurement keeps its interval") {
        const Interval one = pool({{0.01, -0.01, 0.03}});
        CHECK(one.mean == 0.01);
        CHECK(one.low == -0.01);
        CHECK(one.high == 0.03);
        CHECK_FALSE(excludes_zero(one));
        CHECK(excludes_zero({0.01, 0.001, 0.02}));
        CHECK(excludes_zero({-0.01, -0.02, -0.001}));
        CHECK_FALSE(excludes_zero({0, 0, 0}));
    }

    TEST_CASE("pooling: equal measurements narrow by the root of their number") {
        const Interval two = pool({{0.01, -0.01, 0.03}, {0.01, -0.01, 0.03}});
        CHECK(two.mean == doctest::Approx(0.01));
        CHECK((two.high - two.low) / 2 == doctest::Approx(0.02 / std::sqrt(2.0)));
    }

    TEST_CASE("pooling: by hand after DerSimonian and Laird") {
        // y = 1, 2, 6 with standard errors 1, 1, 2: w = 1, 1, 1/4; mean 2, Q = 1 + 0 + 4 = 5,
        // C = 2.25 - 2.0625/2.25 = 4/3, tau^2 = (5 - 2) / (4/3) = 2.25;
        // w* = 1/3.25, 1/3.25, 1/6.25; mean* = 2.4352941, se* = 1.1357.
        const auto with = [](double mean, double error) {
            return Interval{mean, mean - kHalfWidth * error, mean + kHalfWidth * error};
        };
        const Interval pooled = pool({with(1, 1), with(2, 1), with(6, 2)});
        const double weight = 2 / 3.25 + 1 / 6.25;
        CHECK(pooled.mean == doctest::Approx((3 / 3.25 + 6 / 6.25) / weight));
        CHECK(pooled.high - pooled.mean == doctest::Approx(kHalfWidth / std::sqrt(weight)));
    }

    TEST_CASE("pooling: files that disagree widen the interval") {
        const Interval agreeing = pool({{0.02, 0.01, 0.03}, {0.02, 0.01, 0.03}});
        const Interval opposed = pool({{0.04, 0.03, 0.05}, {-0.02, -0.03, -0.01}});
        CHECK(excludes_zero(agreeing));
        CHECK_FALSE(excludes_zero(opposed));
        CHECK(opposed.high - opposed.low > 3 * (agreeing.high - agreeing.low));
        CHECK(clarity(opposed) < clarity(agreeing));
    }

    TEST_CASE("pooling: an interval without width does not outweigh everything") {
        const Interval pooled = pool({{0.02, 0.02, 0.02}, {0.01, 0.0, 0.02}});
        CHECK(pooled.mean == doctest::Approx(0.015));
        CHECK(pool({{0.01, 0.01, 0.01}, {0.03, 0.03, 0.03}}).mean == doctest::Approx(0.02));
        CHECK(clarity({0.01, 0.01, 0.01}) == std::numeric_limits<double>::infinity());
    }

    TEST_CASE(
        "evidence: an edge only where the interval excludes zero, in the measured direction") {
        const Order forward = derive_order(measured({evidence("e", 0.02, 0.01)}));
        REQUIRE(find_edge(forward, "a", "b") != nullptr);
        CHECK(find_edge(forward, "a", "b")->where.origin == Origin::Evidence);
        CHECK(find_edge(forward, "b", "a") == nullptr);
        CHECK(contains(describe(*find_edge(forward, "a", "b")), "measured by the evidence e"));
        CHECK(contains(describe(*find_edge(forward, "a", "b")), "2.00 pp"));

        const Order backward = derive_order(measured({evidence("e", -0.02, 0.01)}));
        CHECK(backward.sequence == Names{"b", "a"});
        REQUIRE(find_edge(backward, "b", "a") != nullptr);

        const Order open = derive_order(measured({evidence("e", 0.02, 0.03)}));
        CHECK(open.edges.empty());
        REQUIRE(open.measured.size() == 1);
        CHECK_FALSE(open.measured[0].decided);
        CHECK(with_code(open.diagnostics, "order/evidence-undecided").size() == 1);
    }

    TEST_CASE("evidence: in scope outweighs plugins, elsewhere less than rules") {
        Request request = measured({evidence("e", 0.02, 0.01)});
        request.known[0].after = {relation("b", Strength::Soft)};
        CHECK(derive_order(request).sequence == Names{"a", "b"});
        request.user_edges = {user_edge("b", "a")};
        CHECK(derive_order(request).sequence == Names{"b", "a"});

        Request elsewhere = measured({evidence("e", 0.02, 0.01, "cifar10")});
        elsewhere.rules = {rule_set("b", "a")};
        const Order order = derive_order(elsewhere);
        CHECK(order.sequence == Names{"b", "a"});
        CHECK(order.contradictions.empty());
        CHECK(find_edge(order, "a", "b")->where.origin == Origin::EvidenceElsewhere);
        elsewhere.rules.clear();
        elsewhere.known[0].rank = 1;  // the tie-break alone would put b first
        CHECK(derive_order(elsewhere).sequence == Names{"a", "b"});
    }

    TEST_CASE("evidence: a rule that measurements contradict is reported, once") {
        Request request = measured({evidence("e", 0.02, 0.01)});
        request.rules = {rule_set("b", "a")};
        const Order order = derive_order(request);
        CHECK(order.sequence == Names{"a", "b"});
        REQUIRE(order.contradictions.size() == 1);
        CHECK(order.contradictions[0].rule.where.declared_by == "rules");
        CHECK_FALSE(order.contradictions[0].rule.used);
        CHECK(order.contradictions[0].measured.difference == 0.02);
        const auto found = with_code(order.diagnostics, "order/rule-contradicted");
        REQUIRE(found.size() == 1);
        CHECK(found[0].notes.size() == 2);
        CHECK(with_code(order.diagnostics, "order/soft-edge-skipped").empty());
        bool in_text = false;
        for (const std::string& line : explain(order)) {
            in_text |= line == "rules that measurements contradict";
        }
        CHECK(in_text);
    }

    TEST_CASE("evidence: a contradicted rule is reported also where the user keeps it") {
        Request request = measured({evidence("e", 0.02, 0.01)});
        request.rules = {rule_set("b", "a")};
        request.user_edges = {user_edge("b", "a")};
        const Order order = derive_order(request);
        CHECK(order.sequence == Names{"b", "a"});
        REQUIRE(order.contradictions.size() == 1);
        CHECK(order.contradictions[0].rule.used);
        CHECK(with_code(order.diagnostics, "order/soft-edge-skipped").size() == 1);  // the evidence
    }

    TEST_CASE("evidence: files about one pair are pooled, also when it is turned round in one") {
        Evidence turned = evidence("f", -0.02, 0.01);
        std::swap(turned.pairs[0].before, turned.pairs[0].after);
        const Order order = derive_order(measured({evidence("e", 0.02, 0.01), turned}));
        REQUIRE(order.measured.size() == 1);
        CHECK(order.measured[0].files == Names{"e", "f"});
        CHECK(order.measured[0].seeds == 6);
        CHECK(order.measured[0].difference == doctest::Approx(0.02));
        CHECK(order.measured[0].low == doctest::Approx(0.02 - 0.01 / std::sqrt(2.0)));
        const Order opposed =
            derive_order(measured({evidence("e", 0.04, 0.01), evidence("f", -0.03, 0.01)}));
        CHECK(opposed.edges.empty());
        CHECK_FALSE(opposed.measured[0].decided);
    }

    TEST_CASE("evidence: of measurements in a circle the least clear gives way") {
        Request request = plain({"a", "b", "c"});
        Evidence file = evidence("e", 0.02, 0.005);
        file.scope = {};
        const auto add = [&](const char* before, const char* after, double half) {
            PairMeasurement pair = file.pairs[0];
            pair.before = before;
            pair.after = after;
            pair.low = pair.difference - half;
            pair.high = pair.difference + half;
            file.pairs.push_back(pair);
        };
        add("b", "c", 0.018);  // the least clear one
        add("c", "a", 0.006);
        request.evidence = {file};
        const Order order = derive_order(request);
        CHECK(order.sequence == Names{"c", "a", "b"});
        REQUIRE(find_edge(order, "b", "c") != nullptr);
        CHECK_FALSE(find_edge(order, "b", "c")->used);
    }
}
