// Operators of a plugin as operators of the network: functions over its C table, with autograd.
#include "plugin/host_operators.hpp"

#include "base/error.hpp"
#include "network/custom.hpp"
#include "plugin/host_objects.hpp"

#include <topress/detail/value.hpp>
#include <topress/tensor.hpp>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>

namespace topress::plugin {

namespace {

using network::Node;
using network::Shape;
using Tensors = std::vector<at::Tensor>;

/// A node in its C form; borrows the node.
class PlainNode {
  public:
    explicit PlainNode(const Node& node) : values_(detail::to_values(node.attributes)) {
        plain_ = {sizeof plain_,
                  static_cast<std::uint32_t>(values_.size()),
                  node.name.c_str(),
                  node.op.c_str(),
                  values_.data()};
    }

    PlainNode(const PlainNode&) = delete;
    PlainNode& operator=(const PlainNode&) = delete;

    [[nodiscard]] const topress_node* get() const { return &plain_; }

  private:
    std::vector<topress_value> values_;
    topress_node plain_{};
};

constexpr std::size_t kMaximumRank = std::extent_v<decltype(topress_shape::sizes)>;

std::vector<topress_shape> to_plain(const std::vector<Shape>& shapes) {
    std::vector<topress_shape> result;
    for (const Shape& shape : shapes) {
        if (shape.size() > kMaximumRank) {
            reject("a custom operator takes values of at most 8 dimensions");
        }
        topress_shape& plain = result.emplace_back();
        plain.struct_size = sizeof plain;
        plain.rank = static_cast<std::uint32_t>(shape.size());
        std::copy(shape.begin(), shape.end(), plain.sizes);
    }
    return result;
}

std::vector<const topress_tensor*> to_plain(const Tensors& tensors) {
    std::vector<const topress_tensor*> result;
    for (const at::Tensor& tensor : tensors) {
        result.push_back(to_handle(tensor));
    }
    return result;
}

/// Throws what a function of the operator reported, with the node where it names no other place.
void check(topress_status status, const topress_error& error, const Node& node) {
    if (status != TOPRESS_OK) {
        const std::string where = error.where;
        throw PluginError(status,
                          "operator '" + node.op + "': " + error.message,
                          where.empty() ? node.name : where);
    }
}

at::Tensor call_forward(const topress_operator& table,
                        const Node& node,
                        const Tensors& inputs,
                        bool training) {
    const PlainNode plain(node);
    const auto handles = to_plain(inputs);
    at::Tensor output;
    topress_error error = detail::make_error();
    check(table.forward(table.context,
                        plain.get(),
                        handles.data(),
                        handles.size(),
                        training ? 1 : 0,
                        to_handle(output),
                        &error),
          error,
          node);
    if (!output.defined()) {
        reject("operator '" + node.op + "': forward gave no tensor", node.name);
    }
    return output;
}

Tensors call_backward(const topress_operator& table,
                      const Node& node,
                      const at::Tensor& gradient,
                      const Tensors& inputs) {
    const PlainNode plain(node);
    const auto handles = to_plain(inputs);
    Tensors gradients(inputs.size());
    std::vector<topress_tensor*> outputs;
    for (at::Tensor& one : gradients) {
        outputs.push_back(to_handle(one));
    }
    topress_error error = detail::make_error();
    check(table.backward(table.context,
                         plain.get(),
                         to_handle(gradient),
                         handles.data(),
                         handles.size(),
                         outputs.data(),
                         &error),
          error,
          node);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (gradients[i].defined() && gradients[i].sizes() != inputs[i].sizes()) {
            reject("operator '" + node.op + "': backward gave input " + std::to_string(i) +
                       " a gradient of another shape",
                   node.name);
        }
    }
    return gradients;
}

/// What backward needs to know of the forward that was; the node may be gone by then.
struct Recorded : torch::CustomClassHolder {
    Recorded(const topress_operator& operator_table, Node of_node)
        : table(operator_table), node(std::move(of_node)) {}

    topress_operator table;
    Node node;
};

/// Autograd around an explicit pair. [backward may run on an autograd thread]
class WithBackward : public torch::autograd::Function<WithBackward> {
  public:
    static at::Tensor forward(torch::autograd::AutogradContext* context,
                              at::TensorList inputs,
                              const c10::intrusive_ptr<Recorded>& call,
                              bool training) {
        const Tensors held = inputs.vec();
        context->save_for_backward(held);
        context->saved_data["call"] = c10::IValue::make_capsule(call);
        return call_forward(call->table, call->node, held, training);
    }

    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                   const torch::autograd::variable_list& grads) {
        const Tensors inputs = context->get_saved_variables();
        Tensors gradients(inputs.size());
        if (grads[0].defined()) {
            const auto capsule = context->saved_data["call"].toCapsule();
            const auto& call = static_cast<const Recorded&>(*capsule);
            const c10::NoGradGuard no_gradients;
            gradients = call_backward(call.table, call.node, grads[0], inputs);
        }
        gradients.resize(inputs.size() + 2);  // call and training have none
        return gradients;
    }
};

bool any_requires_grad(const Tensors& tensors) {
    return std::any_of(
        tensors.begin(), tensors.end(), [](const at::Tensor& t) { return t.requires_grad(); });
}

Tensors run(const topress_operator& table,
            const Node& node,
            const Tensors& inputs,
            const network::RunMode& mode) {
    if (table.backward == nullptr) {
        return {call_forward(table, node, inputs, mode.training)};
    }
    if (at::GradMode::is_enabled() && any_requires_grad(inputs)) {
        return {WithBackward::apply(
            at::TensorList(inputs), c10::make_intrusive<Recorded>(table, node), mode.training)};
    }
    const c10::NoGradGuard no_gradients;
    return {call_forward(table, node, inputs, mode.training)};
}

Shape infer_shape(const topress_operator& table,
                  const Node& node,
                  const std::vector<Shape>& inputs) {
    const PlainNode plain(node);
    const auto shapes = to_plain(inputs);
    topress_shape output{};
    output.struct_size = sizeof output;
    topress_error error = detail::make_error();
    check(table.shape(table.context, plain.get(), shapes.data(), shapes.size(), &output, &error),
          error,
          node);
    if (output.rank > kMaximumRank ||
        std::any_of(output.sizes,
                    output.sizes + std::min<std::size_t>(output.rank, kMaximumRank),
                    [](std::int64_t size) { return size < 0; })) {
        reject("operator '" + node.op + "': its shape rule gave no shape", node.name);
    }
    return {output.sizes, output.sizes + output.rank};
}

int checked_bits(std::int32_t bits, const Node& node) {
    constexpr std::int32_t kMaximumBits = 32;
    if (bits < 0 || bits > kMaximumBits) {
        reject("operator '" + node.op + "': its cost rule gave " + std::to_string(bits) + " bits",
               node.name);
    }
    return bits;
}

network::CustomCost compute_cost(const topress_operator& table,
                                 const Node& node,
                                 const std::vector<Shape>& inputs,
                                 const std::vector<Shape>& outputs) {
    const PlainNode plain(node);
    const auto in = to_plain(inputs);
    const auto out = to_plain(outputs);
    topress_operator_cost cost{};
    cost.struct_size = sizeof cost;
    topress_error error = detail::make_error();
    check(table.cost(table.context, plain.get(), in.data(), in.size(), out.data(), &cost, &error),
          error,
          node);
    if (!(cost.macs >= 0) || !std::isfinite(cost.macs)) {
        reject("operator '" + node.op + "': its cost rule gave no number of MACs", node.name);
    }
    return {cost.macs,
            checked_bits(cost.weight_bits, node),
            checked_bits(cost.activation_bits, node),
            checked_bits(cost.output_bits, node)};
}

/// Lends the network to the plugin for one call; back it comes, whatever happens.
class Lent {
  public:
    explicit Lent(network::Network& network) : network_(network), model_(std::move(network)) {}

    ~Lent() { network_ = std::move(model_.network); }

    Lent(const Lent&) = delete;
    Lent& operator=(const Lent&) = delete;

    [[nodiscard]] topress_model* model() { return &model_; }

  private:
    network::Network& network_;
    topress_model model_;
};

network::CustomRules to_rules(const topress_operator& table) {
    network::CustomRules rules;
    rules.channels = static_cast<network::ChannelRule>(table.channels);
    if (table.cost != nullptr) {
        rules.cost = [table](const Node& node,
                             const std::vector<Shape>& inputs,
                             const std::vector<Shape>& outputs) {
            return compute_cost(table, node, inputs, outputs);
        };
    }
    rules.lower = [table](network::Network& network, const std::string& node) {
        Lent lent(network);
        topress_error error = detail::make_error();
        detail::throw_if_failed(table.lower(table.context, lent.model(), node.c_str(), &error),
                                error);
    };
    rules.identity = reinterpret_cast<std::uintptr_t>(table.forward) ^
                     (reinterpret_cast<std::uintptr_t>(table.context) << 1U);
    return rules;
}

}  // namespace

topress_status register_operator(const topress_operator* given, topress_error* error) noexcept {
    return guard_host(error, [&] {
        const topress_operator table = required_struct(given, "operator");
        const std::string id = required_text(table.id, "the operator's id");
        required(table.shape, "shape");
        required(table.forward, "forward");
        required(table.lower, "lower");
        if (table.channels < TOPRESS_CHANNELS_BLOCKED || table.channels > TOPRESS_CHANNELS_NONE) {
            reject("the channel rule " + std::to_string(table.channels) + " is unknown", id);
        }
        network::Operator op;
        op.name = id;  // copied by the registry
        op.minimum_inputs = table.minimum_inputs;
        op.maximum_inputs = table.maximum_inputs;
        op.forward = [table](
                         const Node& node, const Tensors& inputs, const network::RunMode& mode) {
            return run(table, node, inputs, mode);
        };
        op.shape = [table](const Node& node, const std::vector<Shape>& inputs) {
            return std::vector<Shape>{infer_shape(table, node, inputs)};
        };
        network::register_operator(std::move(op), to_rules(table));
    });
}

}  // namespace topress::plugin
