// The numbers of a network in another type: all of them, and what it answers with them.
#include "network/element_type.hpp"

#include "network/execute.hpp"
#include "unit/network/networks.hpp"

using namespace topress;
using test::Network;
using test::random_tensor;

TEST_CASE("element type: float in a new network, all of its numbers after a change") {
    Network net = test::tiny_network();
    CHECK((network::element_type(net) == at::kFloat));
    CHECK((network::element_type(Network()) == at::kFloat));  // has none
    network::set_element_type(net, at::kDouble);
    CHECK((network::element_type(net) == at::kDouble));
    for (const auto& parameter : net.parameters()) {
        CHECK((parameter.tensor.scalar_type() == at::kDouble));
    }
}

TEST_CASE("element type: a network in double answers like the one in float, without its rounding") {
    Network net = test::tiny_network();
    const at::Tensor x = random_tensor({4, 3, 8, 8}, 3);
    const at::Tensor in_float = network::forward(net, x, {}).back();
    network::set_element_type(net, at::kDouble);
    const at::Tensor in_double = network::forward(net, x.to(at::kDouble), {}).back();
    CHECK((in_double.scalar_type() == at::kDouble));
    const double apart = (in_double - in_float.to(at::kDouble)).abs().max().item<double>();
    CHECK(apart > 0);
    CHECK(apart < 1e-4);
}
