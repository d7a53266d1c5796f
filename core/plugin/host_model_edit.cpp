// topress.model/1: what changes a network.
#include "network/channels.hpp"
#include "plugin/host_model.hpp"

#include <topress/tensor.hpp>

#include <ATen/ATen.h>

namespace topress::plugin {

namespace {

using network::Network;

Network& edit(topress_model* model) {
    return required(model, "model").edit();
}

/// A tensor from a plugin as a parameter: on the network's device, outside of any autograd graph.
at::Tensor taken(const topress_tensor* tensor, at::Device device) {
    const at::Tensor& given = to_tensor(&required(tensor, "tensor"));
    if (!given.defined()) {
        reject("the tensor is undefined");
    }
    return given.detach().to(device);
}

std::vector<std::string> to_texts(const char* const* texts, std::uint64_t count, const char* what) {
    std::vector<std::string> result;
    result.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) {
        result.push_back(required_text((&required(texts, what))[i], what));
    }
    return result;
}

topress_status set_attribute(topress_model* model,
                             const char* node,
                             const topress_value* value,
                             topress_error* error) noexcept {
    return guard_host(error, [&] {
        const topress_value& given = required_struct(value, "value");
        edit(model).set_attribute(required_text(node, "node"),
                                  required_text(given.name, "the name of the value"),
                                  detail::to_attribute(given));
    });
}

topress_status set_output(topress_model* model, const char* value, topress_error* error) noexcept {
    return guard_host(error, [&] { edit(model).set_output(required_text(value, "value")); });
}

topress_status set_parameter(topress_model* model,
                             const char* name,
                             const topress_tensor* tensor,
                             topress_error* error) noexcept {
    return guard_host(error, [&] {
        Network& network = edit(model);
        network.set_parameter(required_text(name, "name"), taken(tensor, device_of(network)));
    });
}

topress_status add_parameter(topress_model* model,
                             const char* name,
                             const char* role,
                             const topress_tensor* tensor,
                             topress_error* error) noexcept {
    return guard_host(error, [&] {
        Network& network = edit(model);
        network.add_parameter(required_text(name, "name"),
                              network::parse_role(required_text(role, "role")),
                              taken(tensor, device_of(network)));
    });
}

topress_status add_node(topress_model* model,
                        const char* name,
                        const char* op,
                        const char* const* inputs,
                        std::uint64_t input_count,
                        const char* const* outputs,
                        std::uint64_t output_count,
                        const topress_value* attributes,
                        std::uint64_t attribute_count,
                        topress_error* error) noexcept {
    return guard_host(error, [&] {
        network::Node node;
        node.name = required_text(name, "name");
        node.op = required_text(op, "op");
        node.inputs = to_texts(inputs, input_count, "inputs");
        node.outputs = to_texts(outputs, output_count, "outputs");
        for (std::uint64_t i = 0; i < attribute_count; ++i) {
            // The array's stride is the caller's struct_size: members may have been appended since.
            const auto stride = required_struct(attributes, "attributes").struct_size;
            const auto* bytes = reinterpret_cast<const char*>(attributes) + i * stride;
            const auto& value = *reinterpret_cast<const topress_value*>(bytes);
            node.attributes.insert_or_assign(required_text(value.name, "an attribute's name"),
                                             detail::to_attribute(value));
        }
        static_cast<void>(network::operator_named(node.op));
        edit(model).add_node(std::move(node));
    });
}

topress_status replace_input(topress_model* model,
                             const char* node,
                             std::uint64_t index,
                             const char* value,
                             topress_error* error) noexcept {
    return guard_host(error, [&] {
        edit(model).replace_input(
            required_text(node, "node"), index, required_text(value, "value"));
    });
}

topress_status replace_uses(topress_model* model,
                            const char* value,
                            const char* with,
                            topress_error* error) noexcept {
    return guard_host(error, [&] {
        edit(model).replace_uses(required_text(value, "value"), required_text(with, "with"));
    });
}

topress_status remove_node(topress_model* model, const char* name, topress_error* error) noexcept {
    return guard_host(error, [&] { edit(model).remove_node(required_text(name, "name")); });
}

topress_status attach_exit(topress_model* model,
                           const topress_exit* exit,
                           topress_error* error) noexcept {
    return guard_host(error, [&] {
        const topress_exit& given = required_struct(exit, "exit");
        network::Exit added;
        added.name = required_text(given.name, "the exit's name");
        added.logits = required_text(given.logits, "the exit's logits");
        added.criterion = required_text(given.criterion, "the exit's criterion");
        added.threshold = given.threshold;
        added.share = given.share;
        edit(model).add_exit(std::move(added));
    });
}

topress_status set_exit(topress_model* model,
                        const char* name,
                        double threshold,
                        double share,
                        topress_error* error) noexcept {
    return guard_host(error,
                      [&] { edit(model).set_exit(required_text(name, "name"), threshold, share); });
}

topress_status remove_exit(topress_model* model, const char* name, topress_error* error) noexcept {
    return guard_host(error, [&] { edit(model).remove_exit(required_text(name, "name")); });
}

topress_status keep_channels(topress_model* model,
                             const char* group,
                             const std::int64_t* channels,
                             std::uint64_t count,
                             topress_error* error) noexcept {
    return guard_host(error, [&] {
        std::vector<std::int64_t> kept;
        if (count > 0) {
            const std::int64_t* first = &required(channels, "channels");
            kept.assign(first, first + count);
        }
        network::keep_channels(edit(model), required_text(group, "group"), kept);
    });
}

}  // namespace

void add_model_editing(topress_model_v1& table) noexcept {
    table.set_attribute = &set_attribute;
    table.set_output = &set_output;
    table.set_parameter = &set_parameter;
    table.add_parameter = &add_parameter;
    table.add_node = &add_node;
    table.replace_input = &replace_input;
    table.replace_uses = &replace_uses;
    table.remove_node = &remove_node;
    table.attach_exit = &attach_exit;
    table.set_exit = &set_exit;
    table.remove_exit = &remove_exit;
    table.keep_channels = &keep_channels;
}

}  // namespace topress::plugin
