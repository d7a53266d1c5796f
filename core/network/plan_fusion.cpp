// Finds batch norms and what follows them, and shortens the plan.
#include "network/plan_fusion.hpp"

#include "network/operators/norm_tail.hpp"

#include <optional>
#include <utility>
#include <vector>

namespace topress::network {
namespace {

class NormFusion {
  public:
    explicit NormFusion(Plan& plan)
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
            if (plan_.steps[i].op->name == "batch_norm") {
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

    void fuse(std::size_t norm) {
        Step fused = plan_.steps[norm];
        NormTail tail;
        std::size_t last = norm;
        if (const auto add = sole_reader(last, "add")) {
            const std::vector<Source>& terms = plan_.steps[*add].inputs;
            const bool is_first = !terms[0].is_parameter && terms[0].index == fused.output;
            fused.inputs.push_back(terms[is_first ? 1 : 0]);
            tail.residual = true;
            take(last, *add);
        }
        if (const auto relu = sole_reader(last, "relu")) {
            tail.relu = true;
            take(last, *relu);
        }
        fused.output = plan_.steps[last].output;
        fused.op = &norm_operator(tail);
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

void fuse_norms(Plan& plan) {
    NormFusion(plan).run();
}

}  // namespace topress::network
