// Moves networks and batches to a device where they are not there yet.
#include "train/place.hpp"

#include <ATen/ATen.h>

#include <algorithm>

namespace topress::train {

bool is_on_device(const network::Network& network, at::Device device) {
    const auto& all = network.parameters();
    return std::all_of(all.begin(), all.end(), [&](const network::Parameter& parameter) {
        return parameter.tensor.device() == device;
    });
}

PlacedNetwork::PlacedNetwork(const network::Network& network, at::Device device)
    : network_(network) {
    if (!is_on_device(network, device)) {
        copy_ = network;  // shares tensors until to() makes those of the device
        copy_->to(device);
    }
}

data::Batch to_device(data::Batch batch, at::Device device) {
    batch.images = batch.images.to(device);
    batch.labels = batch.labels.to(device);
    return batch;
}

}  // namespace topress::train
