// topress.model/1: whole networks: copies, family variants, files, cost, running.
#include "base/error.hpp"
#include "network/custom.hpp"
#include "network/execute.hpp"
#include "network/serialize.hpp"
#include "plugin/host_model.hpp"
#include "zoo/zoo.hpp"

#include <topress/tensor.hpp>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

namespace topress::plugin {

namespace {

using network::Network;

const Network& read(const topress_model* model) {
    return required(model, "model").network;
}

void hand_out(topress_model** out, Network network) {
    required(out, "out") = new topress_model(std::move(network));
}

topress_status clone(const topress_model* model,
                     topress_model** out,
                     topress_error* error) noexcept {
    return guard_host(error, [&] { hand_out(out, read(model).clone()); });
}

void destroy(topress_model* model) noexcept {
    delete model;
}

topress_status assign(topress_model* target,
                      const topress_model* source,
                      topress_error* error) noexcept {
    return guard_host(error, [&] {
        Network copy = read(source).clone();
        required(target, "target").edit() = std::move(copy);
    });
}

/// Replaces one setting of a specification.
void apply_setting(zoo::Specification& specification, const topress_value& setting) {
    const std::string name = required_text(setting.name, "a setting's name");
    if (name != "depth" && name != "width") {
        reject("a variant has no setting '" + name + "', only depth and width", name);
    }
    if (setting.type != TOPRESS_TYPE_INTEGER) {
        reject("the setting '" + name + "' takes an integer", name);
    }
    (name == "depth" ? specification.depth : specification.width) = setting.integer;
}

topress_status variant(const topress_model* model,
                       const topress_value* settings,
                       std::uint64_t count,
                       std::uint64_t seed,
                       topress_model** out,
                       topress_error* error) noexcept {
    return guard_host(error, [&] {
        zoo::Specification specification = zoo::specification_of(read(model));
        for (std::uint64_t i = 0; i < count; ++i) {
            const auto stride = required_struct(settings, "settings").struct_size;
            const auto* bytes = reinterpret_cast<const char*>(settings) + i * stride;
            apply_setting(specification, *reinterpret_cast<const topress_value*>(bytes));
        }
        Network built = zoo::build(specification, seed);
        built.to(device_of(read(model)));
        hand_out(out, std::move(built));
    });
}

topress_status load(const char* path, topress_model** out, topress_error* error) noexcept {
    return guard_host(error, [&] {
        Network loaded = network::load_network(required_text(path, "path"));
        loaded.to(stage_device());
        hand_out(out, std::move(loaded));
    });
}

topress_status save(const topress_model* model, const char* path, topress_error* error) noexcept {
    return guard_host(error, [&] {
        const std::string file = required_text(path, "path");
        network::save_network(network::lower_custom_operators(read(model)), file);
    });
}

topress_status cost(const topress_model* model, topress_cost* out, topress_error* error) noexcept {
    return guard_host(error, [&] {
        const network::Cost& computed = required(model, "model").cost();
        topress_cost& plain = required_struct(out, "out");
        plain.macs = computed.macs;
        plain.bitops = computed.expected_bitops;
        plain.expected_macs = computed.expected_macs;
        plain.parameters = computed.parameters;
        plain.stored_bytes = computed.stored_bytes;
    });
}

topress_status node_macs(const topress_model* model,
                         const char* node,
                         double* macs,
                         topress_error* error) noexcept {
    return guard_host(error, [&] {
        const std::string& name = read(model).node(required_text(node, "node")).name;
        required(macs, "macs") = 0;
        for (const network::NodeCost& share : model->cost().nodes) {
            if (share.node == name) {
                *macs = share.macs;
            }
        }
    });
}

/// Moves results into the tensors of the caller.
void assign_all(std::vector<at::Tensor> results, topress_tensor* const* outputs) {
    for (std::size_t i = 0; i < results.size(); ++i) {
        to_tensor(&required((&required(outputs, "outputs"))[i], "an output")) =
            std::move(results[i]);
    }
}

/// The pictures on the network's device.
at::Tensor pictures(const Network& network, const topress_tensor* input) {
    const at::Tensor& given = to_tensor(&required(input, "input"));
    if (!given.defined()) {
        reject("the input is an undefined tensor");
    }
    return given.to(device_of(network));
}

topress_status forward(topress_model* model,
                       const topress_tensor* input,
                       topress_tensor* const* outputs,
                       std::uint64_t count,
                       topress_error* error) noexcept {
    return guard_host(error, [&] {
        const Network& network = read(model);
        const std::uint64_t needed = network.exits().size() + 1;
        if (count != needed) {
            throw PluginError(
                count < needed ? TOPRESS_ERROR_BUFFER_TOO_SMALL : TOPRESS_ERROR_INVALID_ARGUMENT,
                "room for " + std::to_string(count) + " outputs, the network has " +
                    std::to_string(needed));
        }
        const c10::NoGradGuard no_grad;
        assign_all(network::forward(network, pictures(network, input), network::RunMode{}),
                   outputs);
    });
}

topress_status observe(topress_model* model,
                       const topress_tensor* input,
                       const char* const* values,
                       std::uint64_t count,
                       topress_tensor* const* outputs,
                       topress_error* error) noexcept {
    return guard_host(error, [&] {
        const Network& network = read(model);
        std::vector<std::string> names;
        for (std::uint64_t i = 0; i < count; ++i) {
            names.push_back(required_text((&required(values, "values"))[i], "a value's name"));
        }
        assign_all(network::observe(network, pictures(network, input), names), outputs);
    });
}

}  // namespace

void add_model_networks(topress_model_v1& table) noexcept {
    table.clone = &clone;
    table.destroy = &destroy;
    table.assign = &assign;
    table.variant = &variant;
    table.load = &load;
    table.save = &save;
    table.cost = &cost;
    table.node_macs = &node_macs;
    table.forward = &forward;
    table.observe = &observe;
}

}  // namespace topress::plugin
