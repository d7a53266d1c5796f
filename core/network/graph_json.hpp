// The graph of a network as JSON text, without its tensors. Internal to network/.
#pragma once

#include "network/graph.hpp"

#include <functional>
#include <string>

namespace topress::network {

/// Same network, same text. Throws Error{network/bad-attribute} for a number that is not finite.
[[nodiscard]] std::string graph_to_json(const Network& network);

/// Builds the network; `tensor_of` gives the tensor of each parameter. Throws topress::Error.
[[nodiscard]] Network graph_from_json(
    const std::string& text, const std::function<at::Tensor(const std::string&)>& tensor_of);

}  // namespace topress::network
