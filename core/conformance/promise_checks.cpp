// Checks on what a technique may take and must leave as it is, and on runs that must be equal.
#include "conformance/check.hpp"
#include "conformance/host_observer.hpp"
#include "conformance/networks.hpp"
#include "conformance/parameters.hpp"
#include "conformance/process_state.hpp"
#include "conformance/workbench.hpp"
#include "network/serialize.hpp"

namespace topress::conformance {
namespace {

using network::Network;
using plugin::TechniqueMetadata;

// ---- what a technique may take and leave --------------------------------------------------------

Outcome check_needs(Subject& subject) {
    Workbench bench(subject);
    Findings findings;
    for (const TechniqueMetadata& technique : subject.techniques()) {
        const Network network = residual_network(subject.seed());
        const HostLog log = bench.apply(technique, attempt_on(subject, technique, network)).log;
        const bool trains = log.used.contains("fit") || log.used.contains("update_statistics");
        if (!technique.needs.training_data && (log.read_training_split || trains)) {
            findings.fail("'" + technique.id +
                          "' used training data without needs.training_data in plugin.toml");
        }
        if (!technique.needs.teacher && log.used_teacher) {
            findings.fail("'" + technique.id + "' used a teacher without needs.teacher");
        }
    }
    return findings.outcome("it uses what it declares");
}

Outcome check_original(Subject& subject) {
    Findings findings;
    Workbench bench(subject);
    for (const TechniqueMetadata& technique : subject.techniques()) {
        const Network network = residual_network(subject.seed());
        const std::string before = network::to_bytes(network);
        static_cast<void>(bench.apply(technique, attempt_on(subject, technique, network)));
        if (network::to_bytes(network) != before) {
            findings.fail("'" + technique.id +
                          "' changed the original through a tensor of it: "
                          "clone before writing");
        }
    }
    return findings.outcome("untouched");
}

Outcome check_releases(Subject& subject) {
    Workbench bench(subject);
    Findings findings;
    for (const TechniqueMetadata& technique : subject.techniques()) {
        const Network network = residual_network(subject.seed());
        static_cast<void>(bench.apply(technique, attempt_on(subject, technique, network)));
        const std::size_t held = count_held_parameters();
        if (held > 0) {
            findings.fail("'" + technique.id + "' still holds " + std::to_string(held) +
                          " tensors of the network after its stage: they take memory for the rest "
                          "of the run, and what is written to them reaches nobody");
        }
    }
    return findings.outcome("everything it got is let go");
}

Outcome check_process(Subject& subject) {
    Workbench bench(subject);
    Findings findings;
    static_cast<void>(subject.library());
    for (const TechniqueMetadata& technique : subject.techniques()) {
        const Network network = residual_network(subject.seed());
        const ProcessWatch watch;
        static_cast<void>(bench.apply(technique, attempt_on(subject, technique, network)));
        for (const std::string& what : watch.moved()) {
            findings.fail("'" + technique.id + "' changed the process: " + what);
        }
    }
    return findings.outcome("the process is as before");
}

Outcome check_threads(Subject& subject) {
    Workbench bench(subject);
    const Network network = residual_network(subject.seed());
    Network warm = network.clone();
    train::FitOptions options;
    options.epochs = 0.2;
    bench.trainer().fit(warm, options);  // what the host itself starts on the way
    const std::size_t before = count_threads();
    for (const TechniqueMetadata& technique : subject.techniques()) {
        static_cast<void>(bench.apply(technique, attempt_on(subject, technique, network)));
    }
    subject.library().quiesce();
    return threads_end(before) ? passed("none is left after quiesce")
                               : failed("threads started by a stage still run after quiesce");
}

// ---- equal runs ---------------------------------------------------------------------------------

Outcome check_same_bits(Subject& subject) {
    Workbench bench(subject);
    Findings findings;
    std::size_t compared = 0;
    for (const TechniqueMetadata& technique : subject.techniques()) {
        if (technique.determinism == "none") {
            findings.note("'" + technique.id + "' promises nothing (determinism = \"none\")");
            continue;
        }
        const Network network = residual_network(subject.seed());
        const Attempt attempt = attempt_on(subject, technique, network);
        const Applied first = bench.apply(technique, attempt);
        const Applied second = bench.apply(technique, attempt);
        ++compared;
        if (network::to_bytes(first.network) != network::to_bytes(second.network)) {
            findings.fail("'" + technique.id + "' promises \"" + technique.determinism +
                          "\", but two runs with one seed gave other bits: take random numbers "
                          "from the context");
        }
    }
    return compared == 0 ? skipped("nothing is promised")
                         : findings.outcome("same seed, same bits");
}

Outcome check_other_seed(Subject& subject) {
    Workbench bench(subject);
    Findings findings;
    for (const TechniqueMetadata& technique : subject.techniques()) {
        const Network network = residual_network(subject.seed());
        Attempt attempt = attempt_on(subject, technique, network);
        attempt.seed = ~subject.seed();
        const Applied applied = bench.apply(technique, attempt);
        if (!applied.succeeded() && !applied.is_clear_refusal()) {
            findings.fail("'" + technique.id + "' on the residual network " +
                          failure_text(applied));
        }
    }
    return findings.outcome("works with another seed too");
}

Outcome check_instances(Subject& subject) {
    Workbench bench(subject);
    Findings findings;
    for (const TechniqueMetadata& technique : subject.techniques()) {
        if (technique.determinism == "none") {
            continue;
        }
        const Network network = residual_network(subject.seed());
        const Attempt attempt = attempt_on(subject, technique, network);
        const Applied alone = bench.apply(technique, attempt);
        plugin::TechniqueObject one = bench.make(technique);
        plugin::TechniqueObject other = bench.make(technique);
        one.configure(attempt.parameters);
        other.configure(default_parameters(technique));  // configured otherwise, and later
        const Applied beside = bench.apply(one, technique, attempt);
        if (network::to_bytes(alone.network) != network::to_bytes(beside.network)) {
            findings.fail("an instance of '" + technique.id +
                          "' works otherwise when there is a second one: keep parameters in the "
                          "object, not in the library");
        }
    }
    return findings.outcome("two instances do not disturb each other");
}

}  // namespace

std::vector<Check> promise_checks() {
    constexpr auto kGroup = Group::Behaviour;
    constexpr auto kLoaded = Requires::Loaded;
    return {
        {"declared-needs", kGroup, kLoaded, "It uses only the data it declares.", check_needs},
        {"keeps-original", kGroup, kLoaded, "The original network stays as it is.", check_original},
        {"releases-tensors",
         kGroup,
         kLoaded,
         "No tensor of the network is kept beyond its stage.",
         check_releases},
        {"keeps-process-state",
         kGroup,
         kLoaded,
         "A stage changes no setting of the process.",
         check_process},
        {"ends-its-threads", kGroup, kLoaded, "No thread is left after quiesce.", check_threads},
        {"same-seed-same-bits",
         kGroup,
         kLoaded,
         "Two runs with one seed give the same bits, if it promises so.",
         check_same_bits},
        {"other-seed", kGroup, kLoaded, "It works with another seed too.", check_other_seed},
        {"independent-instances",
         kGroup,
         kLoaded,
         "Two instances do not influence each other.",
         check_instances},
    };
}

}  // namespace topress::conformance
