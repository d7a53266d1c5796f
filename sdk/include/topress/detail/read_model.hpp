// Reading parts of a network over the C table into plain structs.
#pragma once

#include <topress/abi.h>
#include <topress/detail/error.hpp>
#include <topress/structure.hpp>
#include <topress/tensor.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace topress::detail {

/// Borrows the tensors.
inline std::vector<topress_tensor*> to_handles(std::vector<at::Tensor>& tensors) {
    std::vector<topress_tensor*> handles;
    handles.reserve(tensors.size());
    for (at::Tensor& tensor : tensors) {
        handles.push_back(to_handle(tensor));
    }
    return handles;
}

/// The first `count` names that `function` (node_input, node_output) gives for a node.
template <class Function>
std::vector<std::string> read_names(Function function,
                                    const topress_model* model,
                                    const std::string& node,
                                    std::uint64_t count) {
    std::vector<std::string> result(count);
    for (std::uint64_t i = 0; i < count; ++i) {
        const char* value = nullptr;
        call(function, model, node.c_str(), i, &value);
        result[i] = value;
    }
    return result;
}

inline NodeView read_node(const topress_model_v1& api,
                          const topress_model* model,
                          std::uint64_t index) {
    const char* name = nullptr;
    const char* op = nullptr;
    std::uint64_t inputs = 0;
    std::uint64_t outputs = 0;
    call(api.node, model, index, &name, &op, &inputs, &outputs);
    NodeView view;
    view.name = name;  // copied before the next call ends the borrowing
    view.op = op;
    view.inputs = read_names(api.node_input, model, view.name, inputs);
    view.outputs = read_names(api.node_output, model, view.name, outputs);
    return view;
}

inline GroupMember read_member(const topress_model_v1& api,
                               const topress_model* model,
                               std::uint64_t group,
                               std::uint64_t member) {
    const char* parameter = nullptr;
    std::uint64_t dim = 0;
    std::uint64_t repeat = 1;
    std::uint64_t offset = 0;
    call(api.group_member, model, group, member, &parameter, &dim, &repeat, &offset);
    return {parameter,
            static_cast<std::int64_t>(dim),
            static_cast<std::int64_t>(repeat),
            static_cast<std::int64_t>(offset)};
}

inline ChannelGroup read_group(const topress_model_v1& api,
                               const topress_model* model,
                               std::uint64_t index) {
    const char* name = nullptr;
    std::uint64_t channels = 0;
    std::uint64_t members = 0;
    call(api.group, model, index, &name, &channels, &members);
    ChannelGroup group;
    group.name = name;
    group.channels = static_cast<std::int64_t>(channels);
    for (std::uint64_t i = 0; i < members; ++i) {
        group.members.push_back(read_member(api, model, index, i));
    }
    return group;
}

}  // namespace topress::detail
