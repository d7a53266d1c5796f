// topress.model/1: the function table, and what only reads: walking, parameters, exits, groups.
#include "plugin/host_model.hpp"

#include "base/error.hpp"

#include <topress/tensor.hpp>

namespace topress::plugin {

namespace {

using network::Network;
using network::Node;

const Network& read(const topress_model* model) {
    return required(model, "model").network;
}

template <class List>
const auto& at_index(const List& list, std::uint64_t index, const char* what) {
    if (index >= list.size()) {
        reject(std::string("there is no ") + what + " " + std::to_string(index) + ", only " +
               std::to_string(list.size()));
    }
    return list[index];
}

std::uint64_t node_count(const topress_model* model) noexcept {
    return model != nullptr ? model->network.nodes().size() : 0;
}

topress_status node(const topress_model* model,
                    std::uint64_t index,
                    const char** name,
                    const char** op,
                    std::uint64_t* inputs,
                    std::uint64_t* outputs,
                    topress_error* error) noexcept {
    return guard_host(error, [&] {
        const Node& found = at_index(read(model).nodes(), index, "node");
        required(name, "name") = found.name.c_str();
        required(op, "op") = found.op.c_str();
        required(inputs, "inputs") = found.inputs.size();
        required(outputs, "outputs") = found.outputs.size();
    });
}

topress_status node_input(const topress_model* model,
                          const char* name,
                          std::uint64_t index,
                          const char** value,
                          topress_error* error) noexcept {
    return guard_host(error, [&] {
        const Node& found = read(model).node(required_text(name, "node"));
        required(value, "value") = at_index(found.inputs, index, "input").c_str();
    });
}

topress_status node_output(const topress_model* model,
                           const char* name,
                           std::uint64_t index,
                           const char** value,
                           topress_error* error) noexcept {
    return guard_host(error, [&] {
        const Node& found = read(model).node(required_text(name, "node"));
        required(value, "value") = at_index(found.outputs, index, "output").c_str();
    });
}

/// Borrows from the map; NOT_FOUND names the attribute as the place, so that callers can tell it
/// from an unknown node.
void find_attribute(const network::Attributes& attributes,
                    const std::string& name,
                    const std::string& owner,
                    topress_value& out) {
    const auto found = attributes.find(name);
    if (found == attributes.end()) {
        throw PluginError(TOPRESS_ERROR_NOT_FOUND, owner + " has no '" + name + "'", name);
    }
    out = detail::to_value(found->first, found->second);
}

topress_status node_attribute(const topress_model* model,
                              const char* node_name,
                              const char* attribute,
                              topress_value* out,
                              topress_error* error) noexcept {
    return guard_host(error, [&] {
        const Node& found = read(model).node(required_text(node_name, "node"));
        find_attribute(found.attributes,
                       required_text(attribute, "attribute"),
                       "node '" + found.name + "'",
                       required_struct(out, "out"));
    });
}

topress_status value_shape(const topress_model* model,
                           const char* value,
                           std::int64_t* sizes,
                           std::uint64_t capacity,
                           std::uint64_t* rank,
                           topress_error* error) noexcept {
    return guard_host(error, [&] {
        const auto& shapes = required(model, "model").shapes();
        const std::string name = required_text(value, "value");
        const auto found = shapes.find(name);
        if (found == shapes.end()) {
            throw PluginError(TOPRESS_ERROR_NOT_FOUND, "no value '" + name + "'", name);
        }
        required(rank, "rank") = found->second.size();
        for (std::uint64_t i = 0; i < found->second.size() && i < capacity; ++i) {
            (&required(sizes, "sizes"))[i] = found->second[i];
        }
    });
}

const char* input(const topress_model* model) noexcept {
    return model != nullptr ? model->network.input().name.c_str() : "";
}

const char* output(const topress_model* model) noexcept {
    return model != nullptr ? model->network.output().c_str() : "";
}

std::uint64_t parameter_count(const topress_model* model) noexcept {
    return model != nullptr ? model->network.parameters().size() : 0;
}

topress_status parameter_name(const topress_model* model,
                              std::uint64_t index,
                              const char** name,
                              topress_error* error) noexcept {
    return guard_host(error, [&] {
        required(name, "name") =
            at_index(read(model).parameters(), index, "parameter").name.c_str();
    });
}

topress_status parameter(const topress_model* model,
                         const char* name,
                         topress_tensor* out,
                         topress_error* error) noexcept {
    return guard_host(error, [&] {
        const network::Parameter& found = read(model).parameter(required_text(name, "name"));
        to_tensor(&required(out, "out")) = found.tensor;
    });
}

topress_status parameter_role(const topress_model* model,
                              const char* name,
                              const char** role,
                              topress_error* error) noexcept {
    return guard_host(error, [&] {
        const network::Parameter& found = read(model).parameter(required_text(name, "name"));
        required(role, "role") = network::to_string(found.role).data();  // a literal
    });
}

std::uint64_t exit_count(const topress_model* model) noexcept {
    return model != nullptr ? model->network.exits().size() : 0;
}

topress_status exit(const topress_model* model,
                    std::uint64_t index,
                    topress_exit* out,
                    topress_error* error) noexcept {
    return guard_host(error, [&] {
        const network::Exit& found = at_index(read(model).exits(), index, "exit");
        topress_exit& plain = required_struct(out, "out");
        plain.name = found.name.c_str();
        plain.logits = found.logits.c_str();
        plain.criterion = found.criterion.c_str();
        plain.threshold = found.threshold;
        plain.share = found.share;
    });
}

/// When the groups cannot be found there is "one", so that the caller comes to group(), which says
/// why.
std::uint64_t group_count(const topress_model* model) noexcept {
    std::uint64_t count = 1;
    guard_host(nullptr, [&] { count = required(model, "model").groups().size(); });
    return count;
}

topress_status group(const topress_model* model,
                     std::uint64_t index,
                     const char** name,
                     std::uint64_t* channels,
                     std::uint64_t* members,
                     topress_error* error) noexcept {
    return guard_host(error, [&] {
        const auto& found = at_index(required(model, "model").groups(), index, "group");
        required(name, "name") = found.name.c_str();
        required(channels, "channels") = static_cast<std::uint64_t>(found.channels);
        required(members, "members") = found.members.size();
    });
}

topress_status group_member(const topress_model* model,
                            std::uint64_t index,
                            std::uint64_t member,
                            const char** parameter_out,
                            std::uint64_t* dim,
                            std::uint64_t* repeat,
                            std::uint64_t* offset,
                            topress_error* error) noexcept {
    return guard_host(error, [&] {
        const auto& in_group = at_index(required(model, "model").groups(), index, "group");
        const auto& found = at_index(in_group.members, member, "member");
        required(parameter_out, "parameter") = found.parameter.c_str();
        required(dim, "dim") = static_cast<std::uint64_t>(found.dim);
        required(repeat, "repeat") = static_cast<std::uint64_t>(found.repeat);
        required(offset, "offset") = static_cast<std::uint64_t>(found.offset);
    });
}

topress_status setting(const topress_model* model,
                       const char* name,
                       topress_value* out,
                       topress_error* error) noexcept {
    return guard_host(error, [&] {
        find_attribute(read(model).settings(),
                       required_text(name, "name"),
                       "the network",
                       required_struct(out, "out"));
    });
}

topress_model_v1 make_table() noexcept {
    topress_model_v1 table{};
    table.struct_size = sizeof table;
    table.node_count = &node_count;
    table.node = &node;
    table.node_input = &node_input;
    table.node_output = &node_output;
    table.node_attribute = &node_attribute;
    table.value_shape = &value_shape;
    table.input = &input;
    table.output = &output;
    table.parameter_count = &parameter_count;
    table.parameter_name = &parameter_name;
    table.parameter = &parameter;
    table.parameter_role = &parameter_role;
    table.exit_count = &exit_count;
    table.exit = &exit;
    table.group_count = &group_count;
    table.group = &group;
    table.group_member = &group_member;
    table.setting = &setting;
    add_model_editing(table);
    add_model_networks(table);
    return table;
}

}  // namespace

const topress_model_v1& model_table() noexcept {
    static const topress_model_v1 kTable = make_table();
    return kTable;
}

}  // namespace topress::plugin
