// Picture shape and number of classes of a data set format, without its files.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace topress::pipeline {

/// What a network for a data set must take and answer.
struct DatasetShape {
    std::vector<std::int64_t> picture;  ///< (C, H, W)
    std::int64_t classes = 0;           ///< or targets: elements of the answer
    std::int64_t train_samples = 0;     ///< as published; 0: not known
};

/// None for formats whose shape only the files tell (image folders).
[[nodiscard]] std::optional<DatasetShape> shape_of_format(std::string_view format);

}  // namespace topress::pipeline
