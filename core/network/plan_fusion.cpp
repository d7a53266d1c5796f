// Finds batch norms, convolutions and what follows them, and shortens the plan.
#include "network/plan_fusion.hpp"

#include "network/operators/conv_tail.hpp"
#include "network/operators/norm_tail.hpp"

#include <optional>
#include <utility>
#include <vector>

namespace topress::network {
namespace {

class TailFusion {
  public:
    explicit TailFusion(Plan& plan)
        : plan_(plan),
          uses_(plan.constant_slots.size()),
          reader_(plan.constant_slots.size()),
          is_gone_(plan.steps.size()) {
        for (std::size_t i = 0; i < plan.steps.size(); ++i) {
            for (const Source& source : plan.steps[i].inputs) {
                count_use(source, i);
            }
        }
        for (const Segment& segment : plan.segments) {
            for (const Source& target : segment.targets) {
                count_use(target, std::nullopt);
            }
        }
    }

    void run() {
        for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
            const std::string_view op = plan_.steps[i].op->name;
            if (op == "batch_norm" || op == "conv2d") {
                fuse(i);
            }
        }
        remove_gone();
    }

  private:
    void count_use(const Source& source, std::optional<std::size_t> step) {
        if (!source.is_parameter) {
            ++uses_[source.index];
            reader_[source.index] = step;
        }
    }

    /// The step that alone reads the output of this one, if it is of that operator.
    [[nodiscard]] std::optional<std::size_t> sole_reader(std::size_t step,
                                                         std::string_view op) const {
        const std::uint32_t slot = plan_.steps[step].output;
        const std::optional<std::size_t> reader = reader_[slot];
        const bool is_sole = uses_[slot] == 1 && reader && !is_gone_[*reader];
        return is_sole && plan_.steps[*reader].op->name == op ? reader : std::nullopt;
    }

    void fuse(std::size_t first) {
        Step fused = plan_.steps[first];
        const bool is_norm = fused.op->name == "batch_norm";
        bool has_relu = false;
        std::optional<Source> residual;
        std::size_t last = first;
        if (const auto add = sole_reader(last, "add")) {
            const std::vector<Source>& terms = plan_.steps[*add].inputs;
            const bool is_first = !terms[0].is_parameter && terms[0].index == fused.output;
            residual = terms[is_first ? 1 : 0];
            take(last, *add);
        }
        if (const auto relu = sole_reader(last, "relu")) {
            has_relu = true;
            take(last, *relu);
        }
        if (residual) {
            // A norm writes over what it reads, a convolution over what it adds to.
            fused.inputs.insert(is_norm ? fused.inputs.end() : fused.inputs.begin(), *residual);
        }
        fused.output = plan_.steps[last].output;
        if (is_norm) {
            fused.op = &norm_operator({has_relu, residual.has_value()});
        } else if (has_relu || residual) {
            fused.op = &conv_operator({has_relu, residual.has_value()});
        }
        plan_.steps[last] = std::move(fused);
    }

    /// The work of `last` is done where `next` stands, when all inputs of both are there.
    void take(std::size_t& last, std::size_t next) {
        is_gone_[last] = true;
        last = next;
    }

    void remove_gone() {
        std::vector<Step> kept;
        std::size_t done = 0;
        for (Segment& segment : plan_.segments) {
            for (; done < segment.end; ++done) {
                if (!is_gone_[done]) {
                    kept.push_back(std::move(plan_.steps[done]));
                }
            }
            segment.end = kept.size();
        }
        plan_.steps = std::move(kept);
    }

    Plan& plan_;
    std::vector<std::size_t> uses_;                   ///< by slot
    std::vector<std::optional<std::size_t>> reader_;  ///< by slot: a step, or a target
    std::vector<bool> is_gone_;                       ///< by step
};

}  // namespace

void fuse_tails(Plan& plan) {
    TailFusion(plan).run();
}

}  // namespace topress::network
