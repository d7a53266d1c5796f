// Looks through the parameters.
#include "network/element_type.hpp"

#include <ATen/ATen.h>

#include <utility>
#include <vector>

namespace topress::network {

at::ScalarType element_type(const Network& network) {
    for (const Parameter& parameter : network.parameters()) {
        if (parameter.tensor.is_floating_point()) {
            return parameter.tensor.scalar_type();
        }
    }
    return at::kFloat;
}

void set_element_type(Network& network, at::ScalarType type) {
    std::vector<std::pair<std::string, at::Tensor>> converted;
    for (const Parameter& parameter : network.parameters()) {
        if (parameter.tensor.is_floating_point()) {
            converted.emplace_back(parameter.name, parameter.tensor.to(type));
        }
    }
    for (auto& [name, tensor] : converted) {
        network.set_parameter(name, std::move(tensor));
    }
}

}  // namespace topress::network
