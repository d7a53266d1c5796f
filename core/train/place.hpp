// Networks and batches on the device of a trainer.
#pragma once

#include "data/batches.hpp"
#include "network/graph.hpp"

#include <optional>

namespace topress::train {

/// The network itself when all of it is on the device, otherwise a copy there.
class PlacedNetwork {
  public:
    PlacedNetwork(const network::Network& network, at::Device device);

    [[nodiscard]] const network::Network& get() const { return copy_ ? *copy_ : network_; }

  private:
    const network::Network& network_;
    std::optional<network::Network> copy_;
};

[[nodiscard]] bool is_on_device(const network::Network& network, at::Device device);

/// Copies pictures and labels to the device; indices stay.
[[nodiscard]] data::Batch to_device(data::Batch batch, at::Device device);

}  // namespace topress::train
