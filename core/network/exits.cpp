// Early exit: gates, and a run in which samples that left are compacted out of the batch.
#include "base/error.hpp"
#include "network/execute.hpp"
#include "network/operators.hpp"
#include "network/runner.hpp"

#include <topress/exit_criterion.hpp>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <iterator>
#include <optional>
#include <utility>

namespace topress::network {
namespace {

using LeaveAndStay = std::pair<at::Tensor, at::Tensor>;

LeaveAndStay divide(const at::Tensor& criterion, double threshold) {
    // A sample whose criterion is not a number compares false: it never leaves.
    const at::Tensor leaves = criterion.ge(threshold);
    return {leaves.nonzero().flatten(), leaves.logical_not().nonzero().flatten()};
}

LeaveAndStay gate_by_threshold(const at::Tensor& logits,
                               std::string_view criterion,
                               double threshold) {
    return divide(exit_criterion(logits, criterion), threshold);
}

/// A gate sees one exit alone: what two exits say is compared here.
LeaveAndStay apply_gate(const Exit& exit, const at::Tensor& logits, const at::Tensor& previous) {
    if (compares_with_previous(exit.criterion)) {
        return divide(exit_criterion(logits, exit.criterion, previous), exit.threshold);
    }
    return exit_gate()(logits, exit.criterion, exit.threshold);
}

ExitGate& current_gate() {
    static ExitGate gate = builtin_exit_gate();
    return gate;
}

/// Collects answers in input order while the batch shrinks.
class Answers {
  public:
    explicit Answers(const at::Tensor& input)
        : positions_(at::arange(input.size(0), input.options().dtype(at::kLong))) {}

    /// Rows `leave` of the current batch are answered by these logits.
    void add(const at::Tensor& logits, const at::Tensor& leave, std::int64_t exit) {
        if (!result_.logits.defined()) {
            result_.logits = at::empty({positions_.size(0), logits.size(1)}, logits.options());
            result_.exit_index = at::empty_like(positions_);
        }
        const at::Tensor rows = positions_.index_select(0, leave);
        result_.logits.index_copy_(0, rows, logits.index_select(0, leave));
        result_.exit_index.index_fill_(0, rows, exit);
    }

    /// All that are still there take these logits.
    [[nodiscard]] EarlyExitResult finish(const at::Tensor& logits, std::int64_t exit) {
        if (!result_.logits.defined()) {
            return {logits, at::full_like(positions_, exit)};
        }
        result_.logits.index_copy_(0, positions_, logits);
        result_.exit_index.index_fill_(0, positions_, exit);
        return std::move(result_);
    }

    void keep(const at::Tensor& stay) { positions_ = positions_.index_select(0, stay); }

    [[nodiscard]] EarlyExitResult take() { return std::move(result_); }

  private:
    at::Tensor positions_;
    EarlyExitResult result_;
};

}  // namespace

std::vector<std::string> exit_criteria() {
    return {std::begin(kExitCriteria), std::end(kExitCriteria)};
}

at::Tensor exit_criterion(const at::Tensor& logits,
                          std::string_view criterion,
                          const at::Tensor& previous) {
    if (std::optional<at::Tensor> value = topress::exit_criterion(logits, criterion, previous)) {
        return *std::move(value);
    }
    std::string known;
    for (const char* name : kExitCriteria) {
        known.append(known.empty() ? "" : ", ").append(name);
    }
    throw Error("network/unknown-criterion",
                "unknown exit criterion '" + std::string(criterion) + "'",
                "",
                "known criteria: " + known);
}

const ExitGate& builtin_exit_gate() {
    static const ExitGate builtin = gate_by_threshold;
    return builtin;
}

void set_exit_gate(ExitGate gate) {
    current_gate() = gate ? std::move(gate) : builtin_exit_gate();
}

const ExitGate& exit_gate() {
    return current_gate();
}

EarlyExitResult forward_with_exits(const Network& network, const at::Tensor& input) {
    const at::NoGradGuard no_gradients;
    const auto plan = plan_of(network);
    Runner runner(network, *plan, input, RunMode{});
    Answers answers(input);
    const auto& exits = network.exits();
    at::Tensor previous;  // of the samples that are still there
    for (std::size_t i = 0; i < exits.size(); ++i) {
        const at::Tensor logits = runner.run_segment()[0];
        const auto [leave, stay] = apply_gate(exits[i], logits, previous);
        if (leave.size(0) == 0) {
            previous = logits;
            continue;
        }
        answers.add(logits, leave, static_cast<std::int64_t>(i));
        if (stay.size(0) == 0) {
            return answers.take();
        }
        runner.keep_samples(stay);
        answers.keep(stay);
        previous = logits.index_select(0, stay);
    }
    return answers.finish(runner.run_segment()[0], static_cast<std::int64_t>(exits.size()));
}

}  // namespace topress::network
