// An operator of one's own: a class with its rules, registered from TOPRESS_PLUGIN_INIT.
#pragma once

#include <topress/abi.h>
#include <topress/detail/error.hpp>
#include <topress/detail/host.hpp>
#include <topress/model.hpp>
#include <topress/tensor.hpp>

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace topress {

/// A value without its batch dimension; a parameter whole.
using Shape = std::vector<std::int64_t>;

/// How channel indices pass through an operator; abi.h says the details.
enum class Channels : std::int32_t {
    Blocked = TOPRESS_CHANNELS_BLOCKED,          ///< whatever touches it keeps its channels
    Elementwise = TOPRESS_CHANNELS_ELEMENTWISE,  ///< channel i comes from channel i of every input
    None = TOPRESS_CHANNELS_NONE,                ///< the output has no channel of its inputs
};

/// What does not depend on a node.
struct OperatorTraits {
    std::string id;  ///< begins with the plugin's id: "org.example.cluster.lookup"
    std::uint32_t minimum_inputs = 1;
    std::uint32_t maximum_inputs = 1;  ///< activations first, then parameters
    Channels channels = Channels::Blocked;
};

/// A node as the rules see it.
struct OperatorNode {
    std::string name;
    Attributes attributes;
};

/// Cost of one sample. Bits of 0 mean 32; activation_bits: the precision of the first input.
struct OperatorCost {
    double macs = 0;
    int weight_bits = 0;
    int activation_bits = 0;
    int output_bits = 0;
};

/// Derive, override, and call register_operator<Derived>() from TOPRESS_PLUGIN_INIT. One object
/// serves all nodes, so the functions are const. Such a node lives within one stage: when apply()
/// has returned, the host calls lower() for each that is left, checks that forward() and what
/// replaced it agree in evaluation mode, and fails the stage otherwise.
class Operator {
  public:
    virtual ~Operator() = default;
    Operator(const Operator&) = delete;
    Operator& operator=(const Operator&) = delete;

    [[nodiscard]] virtual OperatorTraits traits() const = 0;

    /// Shape of the output; throw for inputs it cannot take. The first input's unless overridden.
    [[nodiscard]] virtual Shape shape(const OperatorNode& /*node*/,
                                      const std::vector<Shape>& inputs) const {
        return inputs.at(0);
    }

    /// Without an override of backward(), autograd records what is done here.
    [[nodiscard]] virtual at::Tensor forward(const OperatorNode& node,
                                             const std::vector<at::Tensor>& inputs,
                                             bool training) const = 0;

    /// d loss / d input for every input (undefined = none). When it is overridden, autograd records
    /// nothing in forward(). [any thread]
    [[nodiscard]] virtual std::vector<at::Tensor> backward(
        const OperatorNode& /*node*/,
        const at::Tensor& /*grad_output*/,
        const std::vector<at::Tensor>& inputs) const {
        return std::vector<at::Tensor>(inputs.size());
    }

    [[nodiscard]] virtual OperatorCost cost(const OperatorNode& /*node*/,
                                            const std::vector<Shape>& /*inputs*/,
                                            const Shape& /*output*/) const {
        return {};
    }

    /// Rewrites `node` of `model` into built-in operators: adds what replaces it, gives its readers
    /// the new value (Model::replace_uses), removes it.
    virtual void lower(Model& model, const NodeView& node) const = 0;

  protected:
    Operator() = default;
};

namespace detail {

inline OperatorNode read_operator_node(const topress_node& plain) {
    OperatorNode node{plain.name, {}};
    const auto* bytes = reinterpret_cast<const char*>(plain.attributes);
    for (std::uint32_t i = 0; i < plain.attribute_count; ++i) {
        const auto& value = *reinterpret_cast<const topress_value*>(bytes);
        node.attributes.emplace(value.name, to_attribute(value));
        bytes += plain.attributes->struct_size;
    }
    return node;
}

inline Shape to_shape(const topress_shape& plain) {
    return {plain.sizes, plain.sizes + plain.rank};
}

inline std::vector<Shape> to_shapes(const topress_shape* plain, std::uint64_t count) {
    std::vector<Shape> shapes;
    const auto* bytes = reinterpret_cast<const char*>(plain);
    for (std::uint64_t i = 0; i < count; ++i) {
        shapes.push_back(to_shape(*reinterpret_cast<const topress_shape*>(bytes)));
        bytes += plain->struct_size;
    }
    return shapes;
}

inline std::vector<at::Tensor> to_tensors(const topress_tensor* const* handles,
                                          std::uint64_t count) {
    std::vector<at::Tensor> tensors;
    for (std::uint64_t i = 0; i < count; ++i) {
        tensors.push_back(to_tensor(handles[i]));
    }
    return tensors;
}

/// C trampolines around an object of a class derived from Operator.
struct OperatorTrampolines {
    static const Operator& self(void* context) { return *static_cast<const Operator*>(context); }

    static topress_status shape(void* context,
                                const topress_node* node,
                                const topress_shape* inputs,
                                std::uint64_t count,
                                topress_shape* output,
                                topress_error* error) {
        return guarded(error, [&] {
            const Shape result =
                self(context).shape(read_operator_node(*node), to_shapes(inputs, count));
            if (result.size() > std::size(output->sizes)) {
                throw PluginError(TOPRESS_ERROR_INVALID_ARGUMENT, "more than 8 dimensions");
            }
            output->rank = static_cast<std::uint32_t>(result.size());
            std::copy(result.begin(), result.end(), output->sizes);
        });
    }

    static topress_status forward(void* context,
                                  const topress_node* node,
                                  const topress_tensor* const* inputs,
                                  std::uint64_t count,
                                  std::int32_t training,
                                  topress_tensor* output,
                                  topress_error* error) {
        return guarded(error, [&] {
            to_tensor(output) = self(context).forward(
                read_operator_node(*node), to_tensors(inputs, count), training != 0);
        });
    }

    static topress_status backward(void* context,
                                   const topress_node* node,
                                   const topress_tensor* grad_output,
                                   const topress_tensor* const* inputs,
                                   std::uint64_t count,
                                   topress_tensor* const* grad_inputs,
                                   topress_error* error) {
        return guarded(error, [&] {
            std::vector<at::Tensor> gradients = self(context).backward(
                read_operator_node(*node), to_tensor(grad_output), to_tensors(inputs, count));
            if (gradients.size() != count) {
                throw PluginError(TOPRESS_ERROR_INVALID_ARGUMENT,
                                  "backward gave " + std::to_string(gradients.size()) +
                                      " gradients for " + std::to_string(count) + " inputs");
            }
            for (std::uint64_t i = 0; i < count; ++i) {
                to_tensor(grad_inputs[i]) = std::move(gradients[i]);
            }
        });
    }

    static topress_status cost(void* context,
                               const topress_node* node,
                               const topress_shape* inputs,
                               std::uint64_t count,
                               const topress_shape* output,
                               topress_operator_cost* out,
                               topress_error* error) {
        return guarded(error, [&] {
            const OperatorCost result = self(context).cost(
                read_operator_node(*node), to_shapes(inputs, count), to_shape(*output));
            out->macs = result.macs;
            out->weight_bits = result.weight_bits;
            out->activation_bits = result.activation_bits;
            out->output_bits = result.output_bits;
        });
    }

    static topress_status lower(void* context,
                                topress_model* model,
                                const char* node,
                                topress_error* error) {
        return guarded(error, [&] {
            Model view(model);
            for (const NodeView& candidate : view.nodes()) {
                if (candidate.name == node) {
                    self(context).lower(view, candidate);
                    return;
                }
            }
            throw PluginError(TOPRESS_ERROR_NOT_FOUND, "no such node", node);
        });
    }
};

}  // namespace detail

/// Makes the operator known to the host for the life of the process: nodes may name it from now on
/// (Model::add_node).
/// Throws: PluginError, INVALID_ARGUMENT for an id that is no reverse-DNS name or belongs to
/// another operator.
template <class Class>
void register_operator() {
    static_assert(std::is_base_of_v<Operator, Class>, "derive from topress::Operator");
    using Trampolines = detail::OperatorTrampolines;
    static Class object;
    const OperatorTraits traits = object.traits();
    // Overridden members belong to the derived class: their type says so.
    constexpr bool kHasBackward =
        !std::is_same_v<decltype(&Class::backward), decltype(&Operator::backward)>;
    constexpr bool kHasCost = !std::is_same_v<decltype(&Class::cost), decltype(&Operator::cost)>;
    topress_operator plain{};
    plain.struct_size = sizeof plain;
    plain.channels = static_cast<std::int32_t>(traits.channels);
    plain.id = traits.id.c_str();
    plain.minimum_inputs = traits.minimum_inputs;
    plain.maximum_inputs = traits.maximum_inputs;
    plain.context = static_cast<Operator*>(&object);
    plain.shape = &Trampolines::shape;
    plain.forward = &Trampolines::forward;
    plain.backward = kHasBackward ? &Trampolines::backward : nullptr;
    plain.cost = kHasCost ? &Trampolines::cost : nullptr;
    plain.lower = &Trampolines::lower;
    detail::call(table<topress_ops_v1>(TOPRESS_OPS_1).register_operator, &plain);
}

}  // namespace topress
