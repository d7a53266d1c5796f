// Checks on techniques at work, on tiny networks.
#include "base/error.hpp"
#include "conformance/check.hpp"
#include "conformance/networks.hpp"
#include "conformance/parameters.hpp"
#include "conformance/workbench.hpp"
#include "data/random.hpp"
#include "network/serialize.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>

namespace topress::conformance {
namespace {

using network::Network;
using plugin::TechniqueMetadata;

std::string named(const TechniqueMetadata& technique, const std::string& kind) {
    return "'" + technique.id + "' on the " + kind + " network";
}

// ---- one kind of network each -------------------------------------------------------------------

Outcome check_applies(Subject& subject, const std::string& kind, const Network& network) {
    Workbench bench(subject);
    Findings findings;
    std::size_t done = 0;
    for (const TechniqueMetadata& technique : subject.techniques()) {
        const Applied applied = bench.apply(technique, attempt_on(subject, technique, network));
        if (applied.succeeded()) {
            ++done;
            static_cast<void>(answers_of(applied.network));
        } else if (applied.is_clear_refusal()) {
            findings.note("'" + technique.id + "' refused it: " + applied.message);
        } else {
            findings.fail(named(technique, kind) + " " + failure_text(applied));
        }
    }
    return findings.outcome(std::to_string(done) + " of " +
                            std::to_string(subject.techniques().size()) + " techniques did");
}

Outcome check_plain(Subject& subject) {
    return check_applies(subject, "plain", plain_network(subject.seed()));
}

Outcome check_residual(Subject& subject) {
    return check_applies(subject, "residual", residual_network(subject.seed()));
}

Outcome check_joined(Subject& subject) {
    return check_applies(subject, "joined", joined_network(subject.seed()));
}

Outcome check_depthwise(Subject& subject) {
    return check_applies(subject, "depthwise", depthwise_network(subject.seed()));
}

Outcome check_without_norm(Subject& subject) {
    return check_applies(subject, "batch-norm-free", network_without_batch_norm(subject.seed()));
}

Outcome check_exit(Subject& subject) {
    return check_applies(subject, "early-exit", network_with_exit(subject.seed()));
}

Outcome check_quantized(Subject& subject) {
    return check_applies(subject, "quantized", quantized_network(subject.seed()));
}

// ---- the host's post-checks, on all kinds -------------------------------------------------------

/// Applies every technique to every kind of network; `look` sees those that succeeded.
template <class Look>
void apply_everywhere(Subject& subject, Look&& look) {
    Workbench bench(subject);
    for (const TechniqueMetadata& technique : subject.techniques()) {
        for (const TinyNetwork& tiny : tiny_networks(subject.seed())) {
            const Applied applied =
                bench.apply(technique, attempt_on(subject, technique, tiny.network));
            if (applied.succeeded()) {
                look(technique, tiny, applied);
            }
        }
    }
}

Outcome check_codes(Subject& subject,
                    std::initializer_list<std::string_view> codes,
                    const std::string& passed) {
    Findings findings;
    apply_everywhere(subject, [&](const auto& technique, const auto& tiny, const auto& applied) {
        for (const Diagnostic& finding : applied.findings) {
            if (std::find(codes.begin(), codes.end(), finding.code) != codes.end()) {
                findings.fail(named(technique, tiny.kind) + ": " + finding.message + " [" +
                              finding.code + "]");
            }
        }
    });
    return findings.outcome(passed);
}

Outcome check_finite(Subject& subject) {
    return check_codes(subject, {"check/not-finite"}, "finite on every network");
}

Outcome check_contract(Subject& subject) {
    return check_codes(subject, {"check/contract-changed"}, "input and outputs keep their shapes");
}

Outcome check_writes(Subject& subject) {
    return check_codes(subject, {"check/undeclared-write"}, "only what is declared is changed");
}

Outcome check_undone(Subject& subject) {
    return check_codes(subject, {"check/undone"}, "nothing grew back");
}

bool had_effect(const Applied& applied) {
    return applied.succeeded() &&
           std::none_of(
               applied.findings.begin(), applied.findings.end(), [](const Diagnostic& finding) {
                   return finding.code == "check/no-effect";
               });
}

/// On networks this small, defaults that suit large ones may leave nothing to do: then a wider one
/// and other settings are tried before anything is said.
bool has_effect(Workbench& bench, const Subject& subject, const TechniqueMetadata& technique) {
    constexpr std::uint64_t kFurtherSettings = 20;
    for (const TinyNetwork& tiny : tiny_networks(subject.seed())) {
        if (had_effect(bench.apply(technique, attempt_on(subject, technique, tiny.network)))) {
            return true;
        }
    }
    const Network network = wide_network(subject.seed());
    if (had_effect(bench.apply(technique, attempt_on(subject, technique, network)))) {
        return true;
    }
    for (std::uint64_t i = 0; i < kFurtherSettings; ++i) {
        Attempt attempt = attempt_on(subject, technique, network);
        attempt.parameters = quickened(
            random_parameters(technique, data::derive_seed(subject.seed(), i)), technique);
        const bool is_valid =
            config::validate_parameters(attempt.parameters, technique.parameters, "").empty();
        try {
            if (is_valid && had_effect(bench.apply(technique, attempt))) {
                return true;
            }
        } catch (const Error&) {  // a combination that it refuses: see 'random-configurations'
        }
    }
    return false;
}

Outcome check_effect(Subject& subject) {
    Workbench bench(subject);
    Findings findings;
    for (const TechniqueMetadata& technique : subject.techniques()) {
        if (!has_effect(bench, subject, technique)) {
            findings.warn("'" + technique.id + "' changed none of six tiny networks");
        }
    }
    return findings.outcome("every technique changes something");
}

Outcome check_metrics(Subject& subject) {
    Findings findings;
    std::size_t count = 0;
    apply_everywhere(subject, [&](const auto& technique, const auto& tiny, const auto& applied) {
        for (const auto& [name, value] : applied.metrics) {
            ++count;
            if (!std::isfinite(value)) {
                findings.fail(named(technique, tiny.kind) + ": the figure '" + name +
                              "' is not finite");
            }
        }
    });
    return findings.outcome(std::to_string(count) + " figures, all finite");
}

Outcome check_reload(Subject& subject) {
    Findings findings;
    apply_everywhere(subject, [&](const auto& technique, const auto& tiny, const auto& applied) {
        const std::string bytes = network::to_bytes(applied.network);
        const Network loaded = network::from_bytes(bytes, "the saved network");
        const auto before = answers_of(applied.network);
        const auto after = answers_of(loaded);
        for (std::size_t i = 0; i < before.size(); ++i) {
            if (!at::equal(before[i], after.at(i))) {
                findings.fail(named(technique, tiny.kind) +
                              ": saved and loaded again it answers otherwise");
            }
        }
    });
    return findings.outcome("saved and loaded, the same answers");
}

}  // namespace

std::vector<Check> behaviour_checks() {
    constexpr auto kGroup = Group::Behaviour;
    constexpr auto kLoaded = Requires::Loaded;
    return {
        {"applies-plain",
         kGroup,
         kLoaded,
         "It works on a plain network, or says why not.",
         check_plain},
        {"applies-residual", kGroup, kLoaded, "The same on a residual network.", check_residual},
        {"applies-depthwise",
         kGroup,
         kLoaded,
         "The same on depthwise convolutions.",
         check_depthwise},
        {"applies-joined",
         kGroup,
         kLoaded,
         "The same where channels of several layers are joined.",
         check_joined},
        {"applies-without-batch-norm",
         kGroup,
         kLoaded,
         "The same without batch norm.",
         check_without_norm},
        {"applies-with-exits", kGroup, kLoaded, "The same on a network with exits.", check_exit},
        {"applies-quantized", kGroup, kLoaded, "The same on a quantized network.", check_quantized},
        {"stays-finite", kGroup, kLoaded, "Its results are finite numbers.", check_finite},
        {"keeps-contract",
         kGroup,
         kLoaded,
         "Input and outputs of the network keep their shapes.",
         check_contract},
        {"declared-writes", kGroup, kLoaded, "It changes only what it declares.", check_writes},
        {"undoes-nothing",
         kGroup,
         kLoaded,
         "It takes back nothing that an earlier stage did.",
         check_undone},
        {"has-an-effect", kGroup, kLoaded, "Success means that something changed.", check_effect},
        {"finite-metrics", kGroup, kLoaded, "Its figures are finite numbers.", check_metrics},
        {"saves-and-loads",
         kGroup,
         kLoaded,
         "Its network loads without it, with the same answers.",
         check_reload},
    };
}

}  // namespace topress::conformance
