// Compiles a network into steps: which nodes are needed, in which order, and when values die.
#include "network/plan.hpp"

#include "base/error.hpp"
#include "network/plan_fusion.hpp"

#include <algorithm>
#include <unordered_map>

namespace topress::network {
namespace {

/// Where a value comes from while a plan is being made.
struct Definition {
    Source source;
    std::uint32_t node = kNoNode;
    bool is_constant = false;  ///< depends on parameters only

    static constexpr std::uint32_t kNoNode = 0xffffffff;
};

class PlanBuilder {
  public:
    explicit PlanBuilder(const Network& network) : network_(network) {
        if (network.input().name.empty()) {
            throw Error(
                "network/bad-input", "the network has no input", "", "call set_input first");
        }
        definitions_[network.input().name] = {{false, false, 0}, Definition::kNoNode, false};
        for (std::uint32_t i = 0; i < network.parameters().size(); ++i) {
            definitions_[network.parameters()[i].name] = {
                {true, false, i}, Definition::kNoNode, true};
        }
        plan_.constant_slots = {false};
        for (std::uint32_t i = 0; i < network.nodes().size(); ++i) {
            define(i);
        }
        is_done_.resize(network.nodes().size(), false);
    }

    void add_segment(const std::vector<std::string>& values) {
        Segment segment;
        std::vector<bool> is_needed(network_.nodes().size(), false);
        for (const std::string& value : values) {
            const Definition& definition = definition_of(value);
            segment.targets.push_back(definition.source);
            if (definition.node != Definition::kNoNode) {
                is_needed[definition.node] = true;
            }
        }
        spread(is_needed);
        for (std::uint32_t i = 0; i < is_needed.size(); ++i) {
            // Constants are taken by their first reader; one that is itself a target comes here.
            if (is_needed[i] && (!is_constant_node(i) || is_target(i, values))) {
                emit(i);
            }
        }
        segment.end = plan_.steps.size();
        plan_.segments.push_back(std::move(segment));
    }

    [[nodiscard]] Plan finish() {
        fuse_tails(plan_);
        mark_last_uses();
        plan_.revision = network_.revision();
        return std::move(plan_);
    }

  private:
    void define(std::uint32_t index) {
        const Node& node = network_.nodes()[index];
        const bool constant =
            std::all_of(node.inputs.begin(), node.inputs.end(), [&](const std::string& input) {
                return definition_of(input).is_constant;
            });
        const auto slot = static_cast<std::uint32_t>(plan_.constant_slots.size());
        plan_.constant_slots.push_back(constant);
        definitions_[node.outputs[0]] = {{false, false, slot}, index, constant};
    }

    [[nodiscard]] const Definition& definition_of(const std::string& value) const {
        const auto found = definitions_.find(value);
        if (found == definitions_.end()) {
            throw Error("network/unknown-value",
                        value.empty() ? "the network has no output"
                                      : "the network has no value '" + value + "'",
                        value);
        }
        return found->second;
    }

    /// Marks everything that the marked nodes read, directly or not.
    void spread(std::vector<bool>& is_needed) const {
        for (std::size_t i = is_needed.size(); i-- > 0;) {
            if (!is_needed[i]) {
                continue;
            }
            for (const std::string& input : network_.nodes()[i].inputs) {
                const Definition& definition = definition_of(input);
                if (definition.node != Definition::kNoNode) {
                    is_needed[definition.node] = true;
                }
            }
        }
    }

    [[nodiscard]] bool is_constant_node(std::uint32_t index) const {
        return definition_of(network_.nodes()[index].outputs[0]).is_constant;
    }

    [[nodiscard]] bool is_target(std::uint32_t index,
                                 const std::vector<std::string>& values) const {
        return std::find(values.begin(), values.end(), network_.nodes()[index].outputs[0]) !=
               values.end();
    }

    /// Appends a node after the constants that it reads. Their chains are walked without recursion:
    /// in a file of unknown origin they may be long.
    void emit(std::uint32_t index) {
        std::vector<std::uint32_t> pending{index};
        while (!pending.empty()) {
            const std::uint32_t top = pending.back();
            const std::size_t before = pending.size();
            if (!is_done_[top]) {
                push_constants(top, pending);
            }
            if (pending.size() == before) {
                pending.pop_back();
                append(top);
            }
        }
    }

    void push_constants(std::uint32_t index, std::vector<std::uint32_t>& pending) const {
        const auto& inputs = network_.nodes()[index].inputs;
        for (auto input = inputs.rbegin(); input != inputs.rend(); ++input) {
            const Definition& definition = definition_of(*input);
            if (definition.node != Definition::kNoNode && definition.is_constant &&
                !is_done_[definition.node]) {
                pending.push_back(definition.node);
            }
        }
    }

    void append(std::uint32_t index) {
        if (is_done_[index]) {
            return;
        }
        is_done_[index] = true;
        const Node& node = network_.nodes()[index];
        Step step;
        step.op = &operator_named(node.op);
        step.node = index;
        step.constant_input = definition_of(node.inputs[0]).is_constant;
        for (const std::string& input : node.inputs) {
            step.inputs.push_back(definition_of(input).source);
        }
        step.output = definition_of(node.outputs[0]).source.index;
        plan_.steps.push_back(std::move(step));
    }

    /// Walks steps and targets backwards; the first use met of a slot is its last.
    void mark_last_uses() {
        std::vector<bool> is_seen(plan_.constant_slots.size(), false);
        const auto use = [&](std::vector<Source>& sources) {
            for (auto source = sources.rbegin(); source != sources.rend(); ++source) {
                if (!source->is_parameter && !is_seen[source->index]) {
                    is_seen[source->index] = true;
                    source->is_last_use = true;
                }
            }
        };
        std::size_t segment = plan_.segments.size();
        for (std::size_t i = plan_.steps.size() + 1; i-- > 0;) {
            while (segment > 0 && plan_.segments[segment - 1].end == i) {
                use(plan_.segments[--segment].targets);
            }
            if (i > 0) {
                Step& step = plan_.steps[i - 1];
                step.is_read = is_seen[step.output];
                use(step.inputs);
            }
        }
    }

    const Network& network_;
    std::unordered_map<std::string, Definition> definitions_;
    std::vector<bool> is_done_;
    Plan plan_;
};

}  // namespace

std::shared_ptr<const Plan> plan_of(const Network& network) {
    if (auto cached = network.plan_cache().get();
        cached && cached->revision == network.revision()) {
        return cached;
    }
    PlanBuilder builder(network);
    for (const Exit& exit : network.exits()) {
        builder.add_segment({exit.logits});
    }
    builder.add_segment({network.output()});
    auto plan = std::make_shared<const Plan>(builder.finish());
    network.plan_cache().set(plan);
    return plan;
}

Plan make_plan(const Network& network, const std::vector<std::string>& values) {
    PlanBuilder builder(network);
    builder.add_segment(values);
    return builder.finish();
}

}  // namespace topress::network
