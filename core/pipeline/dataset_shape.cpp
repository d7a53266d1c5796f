// The fixed shapes of the published data sets and of those derived from them.
#include "pipeline/dataset_shape.hpp"

#include <map>

namespace topress::pipeline {

std::optional<DatasetShape> shape_of_format(std::string_view format) {
    static const std::map<std::string_view, DatasetShape> kShapes = {
        {"mnist", {{1, 28, 28}, 10, 60000}},
        {"fashion-mnist", {{1, 28, 28}, 10, 60000}},
        {"rotated-fashion-mnist", {{1, 28, 28}, 1, 60000}},
        {"svhn", {{3, 32, 32}, 10, 73257}},
        {"cifar10", {{3, 32, 32}, 10, 50000}},
        {"cifar100", {{3, 32, 32}, 100, 50000}},
    };
    const auto found = kShapes.find(format);
    return found == kShapes.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace topress::pipeline
