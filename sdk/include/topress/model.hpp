// The network a technique works on: walking, parameters, editing, exits, channel groups, cost.
#pragma once

#include <topress/abi.h>
#include <topress/detail/error.hpp>
#include <topress/detail/host.hpp>
#include <topress/detail/read_model.hpp>
#include <topress/detail/value.hpp>
#include <topress/structure.hpp>
#include <topress/tensor.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace topress {

class OwnedModel;

/// A view of a network of the host; copying it copies the view. Nodes, values and parameters are
/// found by name; every list is a snapshot. All functions throw PluginError: NOT_FOUND for an
/// unknown name, INVALID_ARGUMENT for an edit that would break the network. Thread: one at a time.
class Model {
  public:
    explicit Model(topress_model* handle) noexcept : handle_(handle) {}

    [[nodiscard]] topress_model* handle() const noexcept { return handle_; }

    // -- walking --

    /// All operators in execution order.
    [[nodiscard]] std::vector<NodeView> nodes() const {
        std::vector<NodeView> result(api().node_count(handle_));
        for (std::uint64_t i = 0; i < result.size(); ++i) {
            result[i] = detail::read_node(api(), handle_, i);
        }
        return result;
    }

    /// The operator that produces a value; none for the input and for parameters.
    [[nodiscard]] std::optional<NodeView> producer(const std::string& value) const {
        for (NodeView& node : nodes()) {
            for (const std::string& output : node.outputs) {
                if (output == value) {
                    return std::move(node);
                }
            }
        }
        return std::nullopt;
    }

    /// None when the node has no such attribute.
    [[nodiscard]] std::optional<Attribute> attribute(const std::string& node,
                                                     const std::string& name) const {
        topress_value value{};
        value.struct_size = sizeof value;
        topress_error error = detail::make_error();
        const topress_status status =
            api().node_attribute(handle_, node.c_str(), name.c_str(), &value, &error);
        // An unknown node is a mistake, a missing attribute is an answer.
        if (status == TOPRESS_ERROR_NOT_FOUND && name == error.where) {
            return std::nullopt;
        }
        detail::throw_if_failed(status, error);
        return detail::to_attribute(value);
    }

    /// The attribute as one type: none when missing, INVALID_ARGUMENT when of another type.
    [[nodiscard]] std::optional<std::int64_t> integer(const std::string& node,
                                                      const std::string& name) const {
        return typed<std::int64_t>(node, name);
    }

    [[nodiscard]] std::optional<double> number(const std::string& node,
                                               const std::string& name) const {
        return typed<double>(node, name);
    }

    [[nodiscard]] std::optional<bool> boolean(const std::string& node,
                                              const std::string& name) const {
        return typed<bool>(node, name);
    }

    [[nodiscard]] std::optional<std::string> text(const std::string& node,
                                                  const std::string& name) const {
        return typed<std::string>(node, name);
    }

    [[nodiscard]] std::optional<std::vector<std::int64_t>> integers(const std::string& node,
                                                                    const std::string& name) const {
        return typed<std::vector<std::int64_t>>(node, name);
    }

    /// Shape: without the batch dimension; of a parameter its whole shape.
    [[nodiscard]] std::vector<std::int64_t> value_shape(const std::string& value) const {
        std::vector<std::int64_t> sizes(8);
        std::uint64_t rank = 0;
        for (int attempt = 0; attempt < 2; ++attempt) {
            detail::call(
                api().value_shape, handle_, value.c_str(), sizes.data(), sizes.size(), &rank);
            const bool complete = rank <= sizes.size();
            sizes.resize(rank);
            if (complete) {
                break;
            }
        }
        return sizes;
    }

    /// Name of the input value.
    [[nodiscard]] std::string input() const { return api().input(handle_); }

    /// Name of the main output value.
    [[nodiscard]] std::string output() const { return api().output(handle_); }

    void set_output(const std::string& value) {
        detail::call(api().set_output, handle_, value.c_str());
    }

    // -- parameters --

    /// Names of all parameters and buffers.
    [[nodiscard]] std::vector<std::string> parameters() const {
        std::vector<std::string> names(api().parameter_count(handle_));
        for (std::uint64_t i = 0; i < names.size(); ++i) {
            const char* name = nullptr;
            detail::call(api().parameter_name, handle_, i, &name);
            names[i] = name;
        }
        return names;
    }

    /// The tensor itself: shares storage and, during a fit, the gradient with the network.
    [[nodiscard]] at::Tensor parameter(const std::string& name) const {
        at::Tensor tensor;
        detail::call(api().parameter, handle_, name.c_str(), to_handle(tensor));
        return tensor;
    }

    /// "weight", "bias", "scale", "norm" or "buffer" (not trained).
    [[nodiscard]] std::string parameter_role(const std::string& name) const {
        const char* role = nullptr;
        detail::call(api().parameter_role, handle_, name.c_str(), &role);
        return role;
    }

    /// Replaces the tensor; shape and type may change. It is moved to the network's device.
    void set_parameter(const std::string& name, const at::Tensor& tensor) {
        detail::call(api().set_parameter, handle_, name.c_str(), to_handle(tensor));
    }

    /// role: "weight", "bias", "scale", "norm" or "buffer" (not trained).
    void add_parameter(const std::string& name, const std::string& role, const at::Tensor& tensor) {
        detail::call(api().add_parameter, handle_, name.c_str(), role.c_str(), to_handle(tensor));
    }

    // -- editing --

    /// Inserts directly after the last node that produces one of `inputs`. `op`: a built-in
    /// operator, or one of register_operator().
    void add_node(const std::string& name,
                  const std::string& op,
                  const std::vector<std::string>& inputs,
                  const std::vector<std::string>& outputs,
                  const Attributes& attributes = {}) {
        const auto from = detail::to_pointers(inputs);
        const auto to = detail::to_pointers(outputs);
        const auto values = detail::to_values(attributes);
        detail::call(api().add_node,
                     handle_,
                     name.c_str(),
                     op.c_str(),
                     from.data(),
                     from.size(),
                     to.data(),
                     to.size(),
                     values.data(),
                     values.size());
    }

    void set_attribute(const std::string& node, const std::string& name, const Attribute& value) {
        const topress_value plain = detail::to_value(name, value);
        detail::call(api().set_attribute, handle_, node.c_str(), &plain);
    }

    void replace_input(const std::string& node, std::size_t index, const std::string& value) {
        detail::call(api().replace_input, handle_, node.c_str(), index, value.c_str());
    }

    /// Whoever reads `value` (nodes, exits, the main output) reads `with` instead, except the nodes
    /// that `with` itself is made from: inserts after a value, or replaces a node.
    void replace_uses(const std::string& value, const std::string& with) {
        detail::call(api().replace_uses, handle_, value.c_str(), with.c_str());
    }

    /// Removes a node whose outputs nobody uses, with the parameters that only it used.
    void remove_node(const std::string& name) {
        detail::call(api().remove_node, handle_, name.c_str());
    }

    // -- exits --

    /// In the order in which they are reached.
    [[nodiscard]] std::vector<Exit> exits() const {
        std::vector<Exit> result(api().exit_count(handle_));
        for (std::uint64_t i = 0; i < result.size(); ++i) {
            topress_exit exit{};
            exit.struct_size = sizeof exit;
            detail::call(api().exit, handle_, i, &exit);
            result[i] = {exit.name, exit.logits, exit.criterion, exit.threshold, exit.share};
        }
        return result;
    }

    void attach_exit(const Exit& exit) {
        topress_exit plain{};
        plain.struct_size = sizeof plain;
        plain.name = exit.name.c_str();
        plain.logits = exit.logits.c_str();
        plain.criterion = exit.criterion.c_str();
        plain.threshold = exit.threshold;
        plain.share = exit.share;
        detail::call(api().attach_exit, handle_, &plain);
    }

    void set_exit(const std::string& name, double threshold, double share) {
        detail::call(api().set_exit, handle_, name.c_str(), threshold, share);
    }

    /// Removes an exit and its head: nodes and parameters that nothing else needs.
    void remove_exit(const std::string& name) {
        detail::call(api().remove_exit, handle_, name.c_str());
    }

    // -- channels --

    /// The groups that may be pruned; those of the input and of the outputs are left out.
    [[nodiscard]] std::vector<ChannelGroup> groups() const {
        std::vector<ChannelGroup> result(api().group_count(handle_));
        for (std::uint64_t i = 0; i < result.size(); ++i) {
            result[i] = detail::read_group(api(), handle_, i);
        }
        return result;
    }

    /// Keeps these channels (ascending) and physically removes the others. Group names stay.
    void keep_channels(const std::string& group, const std::vector<std::int64_t>& channels) {
        detail::call(api().keep_channels, handle_, group.c_str(), channels.data(), channels.size());
    }

    // -- whole networks --

    /// A copy with its own tensors.
    [[nodiscard]] OwnedModel clone() const;

    /// A freshly initialised network of the same family, with settings ("depth", "width") replaced.
    [[nodiscard]] OwnedModel variant(const Attributes& settings, std::uint64_t seed) const;

    /// Reads a saved network.
    [[nodiscard]] static OwnedModel load(const std::string& path);

    void save(const std::string& path) const { detail::call(api().save, handle_, path.c_str()); }

    /// Becomes a copy of `source`.
    void assign(const Model& source) { detail::call(api().assign, handle_, source.handle()); }

    /// A setting the network was built with ("family", "depth"); none if it has no such setting.
    [[nodiscard]] std::optional<Attribute> setting(const std::string& name) const {
        topress_value value{};
        value.struct_size = sizeof value;
        topress_error error = detail::make_error();
        const topress_status status = api().setting(handle_, name.c_str(), &value, &error);
        if (status == TOPRESS_ERROR_NOT_FOUND) {
            return std::nullopt;
        }
        detail::throw_if_failed(status, error);
        return detail::to_attribute(value);
    }

    [[nodiscard]] Cost cost() const {
        topress_cost cost{};
        cost.struct_size = sizeof cost;
        detail::call(api().cost, handle_, &cost);
        return {cost.macs, cost.bitops, cost.expected_macs, cost.parameters, cost.stored_bytes};
    }

    /// MACs of one operator for one sample; 0 for what counts nothing.
    [[nodiscard]] double node_macs(const std::string& node) const {
        double macs = 0;
        detail::call(api().node_macs, handle_, node.c_str(), &macs);
        return macs;
    }

    // -- running --

    /// Logits of every exit in order, then of the main output. Evaluation mode, no gradients.
    /// Shape: input (N, C, H, W) float; each result (N, classes).
    [[nodiscard]] std::vector<at::Tensor> forward(const at::Tensor& input) const {
        std::vector<at::Tensor> outputs(api().exit_count(handle_) + 1);
        const auto handles = detail::to_handles(outputs);
        detail::call(api().forward,
                     handle_,
                     to_handle(input),
                     handles.data(),
                     std::uint64_t{handles.size()});
        return outputs;
    }

    /// The named values of one evaluation-mode forward, in the order asked for.
    [[nodiscard]] std::vector<at::Tensor> observe(const at::Tensor& input,
                                                  const std::vector<std::string>& values) const {
        std::vector<at::Tensor> observed(values.size());
        const auto names = detail::to_pointers(values);
        const auto handles = detail::to_handles(observed);
        detail::call(
            api().observe, handle_, to_handle(input), names.data(), names.size(), handles.data());
        return observed;
    }

  protected:
    static const topress_model_v1& api() { return table<topress_model_v1>(TOPRESS_MODEL_1); }

    topress_model* release() noexcept { return std::exchange(handle_, nullptr); }

  private:
    template <class T>
    std::optional<T> typed(const std::string& node, const std::string& name) const {
        const std::optional<Attribute> found = attribute(node, name);
        if (!found) {
            return std::nullopt;
        }
        if (const T* value = std::get_if<T>(&*found)) {
            return *value;
        }
        throw PluginError(
            TOPRESS_ERROR_INVALID_ARGUMENT, "the attribute '" + name + "' has another type", node);
    }

    topress_model* handle_;
};

/// A network the plugin owns: clone(), variant() and load() make one.
class OwnedModel : public Model {
  public:
    /// Takes over a handle that came from the host.
    explicit OwnedModel(topress_model* handle) noexcept : Model(handle) {}

    ~OwnedModel() { reset(); }

    OwnedModel(OwnedModel&& other) noexcept : Model(other.release()) {}

    OwnedModel& operator=(OwnedModel&& other) noexcept {
        if (this != &other) {
            reset();
            static_cast<Model&>(*this) = Model(other.release());
        }
        return *this;
    }

    OwnedModel(const OwnedModel&) = delete;
    OwnedModel& operator=(const OwnedModel&) = delete;

  private:
    void reset() noexcept {
        if (topress_model* owned = release(); owned != nullptr) {
            api().destroy(owned);
        }
    }
};

inline OwnedModel Model::clone() const {
    topress_model* out = nullptr;
    detail::call(api().clone, handle_, &out);
    return OwnedModel(out);
}

inline OwnedModel Model::variant(const Attributes& settings, std::uint64_t seed) const {
    const auto values = detail::to_values(settings);
    topress_model* out = nullptr;
    detail::call(api().variant, handle_, values.data(), values.size(), seed, &out);
    return OwnedModel(out);
}

inline OwnedModel Model::load(const std::string& path) {
    topress_model* out = nullptr;
    detail::call(api().load, path.c_str(), &out);
    return OwnedModel(out);
}

}  // namespace topress
