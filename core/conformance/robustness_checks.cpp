// Checks on what goes wrong around a technique: cancellation, failing calls, odd networks.
#include "base/error.hpp"
#include "conformance/check.hpp"
#include "conformance/networks.hpp"
#include "conformance/parameters.hpp"
#include "conformance/process_state.hpp"
#include "conformance/workbench.hpp"
#include "plugin/host_ops_check.hpp"

#include <ATen/ATen.h>

#include <chrono>
#include <limits>

namespace topress::conformance {
namespace {

using network::Network;
using plugin::TechniqueMetadata;

void require_message(const TechniqueMetadata& technique,
                     const Applied& applied,
                     Findings& findings) {
    if (!applied.succeeded() && applied.message.empty()) {
        findings.warn("'" + technique.id + "' failed without a message");
    }
}

Outcome check_bare(Subject& subject) {
    Workbench bench(subject);
    Findings findings;
    for (const TechniqueMetadata& technique : subject.techniques()) {
        const Network network = bare_network(subject.seed());
        const Applied applied = bench.apply(technique, attempt_on(subject, technique, network));
        require_message(technique, applied, findings);
        findings.note("'" + technique.id +
                      "': " + (applied.succeeded() ? "done" : applied.message));
    }
    return findings.outcome("an answer, and no crash");
}

Outcome check_nan(Subject& subject) {
    Workbench bench(subject);
    Findings findings;
    for (const TechniqueMetadata& technique : subject.techniques()) {
        Network network = residual_network(subject.seed());
        const std::string name = "stem.conv.weight";
        at::Tensor weight = network.parameter(name).tensor.clone();
        weight.view(-1)[0] = std::numeric_limits<float>::quiet_NaN();
        network.set_parameter(name, weight);
        const Applied applied = bench.apply(technique, attempt_on(subject, technique, network));
        require_message(technique, applied, findings);
        findings.note("'" + technique.id +
                      "': " + (applied.succeeded() ? "done" : applied.message));
    }
    return findings.outcome("an answer, and no crash");
}

/// From the start, and after a while in the middle of a long run.
Outcome check_cancel(Subject& subject) {
    using Clock = std::chrono::steady_clock;
    constexpr double kPatienceSeconds = 2.0;
    Workbench bench(subject);
    Findings findings;
    for (const TechniqueMetadata& technique : subject.techniques()) {
        for (const double after : {0.0, 0.2}) {
            const Network network = residual_network(subject.seed());
            Attempt attempt = attempt_on(subject, technique, network);
            attempt.parameters = default_parameters(technique);
            const auto start = Clock::now();
            attempt.cancelled = [start, after] {
                return std::chrono::duration<double>(Clock::now() - start).count() >= after;
            };
            const Applied applied = bench.apply(technique, attempt);
            const double late = applied.seconds - after;
            if (late > kPatienceSeconds) {
                findings.fail("'" + technique.id + "' went on for " + std::to_string(late) +
                              " s after it was asked to stop: call throw_if_cancelled() in loops");
            } else if (!applied.succeeded() && applied.status != TOPRESS_ERROR_CANCELLED &&
                       !applied.is_clear_refusal()) {
                findings.fail("'" + technique.id + "' ended with status " +
                              std::to_string(applied.status) +
                              " instead of CANCELLED: " + applied.message);
            }
        }
    }
    return findings.outcome("within two seconds");
}

/// All of the first calls, then ever fewer up to the last.
std::vector<std::uint64_t> calls_to_fail(std::uint64_t calls) {
    constexpr std::uint64_t kAllOfFirst = 8;
    std::vector<std::uint64_t> chosen;
    for (std::uint64_t i = 1; i <= calls; i = i < kAllOfFirst ? i + 1 : i + 1 + i / 4) {
        chosen.push_back(i);
    }
    if (calls > 0 && chosen.back() != calls) {
        chosen.push_back(calls);
    }
    return chosen;
}

bool is_broken(const Applied& applied) {
    return has_errors(applied.findings);
}

Outcome check_host_errors(Subject& subject) {
    Workbench bench(subject);
    Findings findings;
    std::size_t tried = 0;
    for (const TechniqueMetadata& technique : subject.techniques()) {
        const Network network = residual_network(subject.seed());
        Attempt attempt = attempt_on(subject, technique, network);
        const std::uint64_t calls = bench.apply(technique, attempt).log.calls;
        for (const std::uint64_t call : calls_to_fail(calls)) {
            ++tried;
            attempt.fail_at = call;
            const Applied applied = bench.apply(technique, attempt);
            require_message(technique, applied, findings);
            if (applied.succeeded() && is_broken(applied)) {
                findings.fail(
                    "'" + technique.id + "' went on after call " + std::to_string(call) + " (" +
                    applied.log.failed_call +
                    ") failed, and left a broken network: " + applied.findings.front().message);
            }
        }
    }
    return findings.outcome(std::to_string(tried) + " failing calls, no crash");
}

/// In a process that has not started the plugin yet; a refusal is fine.
Outcome check_missing_interfaces(Subject& subject) {
    set_host_script({0, {TOPRESS_OPS_1, TOPRESS_TRAINING_1, TOPRESS_DATA_1}});
    try {
        static_cast<void>(subject.library());
    } catch (const Error& error) {
        return passed(std::string("it refuses to start: ") + error.what());
    }
    Findings findings;
    for (const TechniqueMetadata& technique : subject.techniques()) {
        try {
            plugin::TechniqueObject object(subject.library().techniques(), technique.id);
            object.configure(default_parameters(technique));
        } catch (const Error& error) {
            findings.note(error.what());
        }
    }
    return findings.outcome("it starts without the optional interfaces");
}

Outcome check_create_destroy(Subject& subject) {
    constexpr int kTimes = 100;
    constexpr std::size_t kGrowthBytes = std::size_t{32} << 20;
    std::size_t before = 0;
    for (int i = 0; i < kTimes; ++i) {
        for (const TechniqueMetadata& technique : subject.techniques()) {
            plugin::TechniqueObject object(subject.library().techniques(), technique.id);
            object.configure(default_parameters(technique));
            const plugin::TechniqueObject idle(subject.library().techniques(), technique.id);
        }
        before = i == 0 ? resident_bytes() : before;
    }
    const std::size_t after = resident_bytes();
    return after > before + kGrowthBytes
               ? failed("a hundred instances left " + std::to_string((after - before) >> 20U) +
                        " MiB behind")
               : passed("a hundred times");
}

Outcome check_memory(Subject& subject) {
    constexpr int kTimes = 6;
    constexpr std::size_t kGrowthBytes = std::size_t{64} << 20;
    Workbench bench(subject);
    const Network network = residual_network(subject.seed());
    std::size_t before = 0;
    for (int i = 0; i < kTimes; ++i) {
        for (const TechniqueMetadata& technique : subject.techniques()) {
            static_cast<void>(bench.apply(technique, attempt_on(subject, technique, network)));
        }
        before = i == 1 ? resident_bytes() : before;  // allocators have settled
    }
    const std::size_t after = resident_bytes();
    Findings findings;
    if (after > before + kGrowthBytes) {
        findings.fail("four further stages left " + std::to_string((after - before) >> 20U) +
                      " MiB behind: does it keep tensors?");
    }
    return findings.outcome("it does not grow from stage to stage");
}

Outcome check_label(Subject& subject) {
    Workbench bench(subject);
    Findings findings;
    for (const TechniqueMetadata& technique : subject.techniques()) {
        const Network network = residual_network(subject.seed());
        Attempt attempt = attempt_on(subject, technique, network);
        attempt.label = std::string(200, 'x') + " %s %n zwölf";
        const Applied applied = bench.apply(technique, attempt);
        if (!applied.succeeded() && !applied.is_clear_refusal()) {
            findings.fail("'" + technique.id + "' failed with a long label: " + applied.message);
        }
    }
    return findings.outcome("any text will do");
}

/// The host has compared what was offered at init; here once more, as a check of its own.
Outcome check_operators(Subject& subject) {
    static_cast<void>(subject.library());
    const OfferedOperators& offered = offered_operators();
    if (!offered.has_quantize && !offered.has_exit_gate) {
        return skipped("it offers no implementation of a built-in operator");
    }
    Findings findings;
    if (offered.has_quantize) {
        const std::string found =
            plugin::find_disagreement(network::quantize_implementation(), at::kCPU);
        if (!found.empty()) {
            findings.fail("quantize: " + found);
        }
    }
    if (offered.has_exit_gate) {
        const std::string found = plugin::find_disagreement(network::exit_gate(), at::kCPU);
        if (!found.empty()) {
            findings.fail("exit gate: " + found);
        }
    }
    return findings.outcome("they compute what the built-in ones compute");
}

}  // namespace

std::vector<Check> robustness_checks() {
    constexpr auto kGroup = Group::Robustness;
    constexpr auto kLoaded = Requires::Loaded;
    return {
        {"bare-network",
         kGroup,
         kLoaded,
         "A network without any convolution gets an answer.",
         check_bare},
        {"nan-weights", kGroup, kLoaded, "Weights that are not numbers get an answer.", check_nan},
        {"cancels", kGroup, kLoaded, "Asked to stop, it does within two seconds.", check_cancel},
        {"host-errors",
         kGroup,
         kLoaded,
         "Whichever call to the host fails, it neither crashes nor leaves a broken network.",
         check_host_errors},
        {"missing-interfaces",
         kGroup,
         Requires::Opened,
         "A host without the optional interfaces is no crash.",
         check_missing_interfaces},
        {"create-destroy", kGroup, kLoaded, "Instances come and go.", check_create_destroy},
        {"bounded-memory", kGroup, kLoaded, "Stages leave no memory behind.", check_memory},
        {"any-label",
         kGroup,
         kLoaded,
         "Long labels with odd characters are no trouble.",
         check_label},
        {"operators-agree",
         kGroup,
         kLoaded,
         "Implementations it offers compute what the built-in operators do.",
         check_operators},
    };
}

}  // namespace topress::conformance
