// A stage to try a technique in: tiny data in memory, a tiny network, the host's own post-checks.
#pragma once

#include "base/diagnostic.hpp"
#include "conformance/host_observer.hpp"
#include "conformance/subject.hpp"
#include "network/graph.hpp"
#include "plugin/host_stage.hpp"
#include "train/trainer.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace topress::conformance {

/// How one application of a technique went.
struct Applied {
    topress_status status = TOPRESS_OK;  ///< what apply returned
    std::string message;                 ///< of a failure
    std::string code;                    ///< of a failure after apply, "check/not-lowered"
    network::Network network;            ///< the result; the input when it failed
    Diagnostics findings;                ///< the host's post-checks; empty when it failed
    std::vector<std::pair<std::string, double>> metrics;
    HostLog log;
    double seconds = 0;

    [[nodiscard]] bool succeeded() const { return status == TOPRESS_OK && code.empty(); }

    /// Refused as an author should: UNSUPPORTED, and a message that says why.
    [[nodiscard]] bool is_clear_refusal() const {
        return status == TOPRESS_ERROR_UNSUPPORTED && !message.empty();
    }
};

/// What to try.
struct Attempt {
    const network::Network* network = nullptr;
    config::Parameters parameters;
    std::uint64_t seed = 1;
    std::string label = "checked";
    std::function<bool()> cancelled;  ///< may be empty
    std::uint64_t fail_at = 0;        ///< the host call that fails, 0 = none
};

/// Data and services for the techniques of one plugin. Computes on one thread, so that equal seeds
/// give equal bits and no pool of threads is mistaken for the plugin's.
class Workbench {
  public:
    explicit Workbench(const Subject& subject);

    /// A new instance, configured and applied to a copy of the network.
    /// Throws: Error{plugin/create-failed}, {plugin/configure-failed}.
    [[nodiscard]] Applied apply(const plugin::TechniqueMetadata& technique, const Attempt& attempt);

    /// The same with an instance that is configured already; the network is also the original,
    /// unless one is given.
    [[nodiscard]] Applied apply(plugin::TechniqueObject& object,
                                const plugin::TechniqueMetadata& technique,
                                const Attempt& attempt);

    /// An instance over the watched table.
    [[nodiscard]] plugin::TechniqueObject make(const plugin::TechniqueMetadata& technique) const;

    [[nodiscard]] train::Trainer& trainer() { return trainer_; }

  private:
    const Subject& subject_;
    train::TrainingData data_;
    train::Trainer trainer_;
};

/// Everything ordinary: the parameters of a quick run, the seed of the subject.
[[nodiscard]] Attempt attempt_on(const Subject& subject,
                                 const plugin::TechniqueMetadata& technique,
                                 const network::Network& network);

/// "failed with status 5: no such node".
[[nodiscard]] std::string failure_text(const Applied& applied);

/// The logits of every output for the same few pictures.
[[nodiscard]] std::vector<at::Tensor> answers_of(const network::Network& network);

}  // namespace topress::conformance
