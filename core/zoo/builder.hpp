// Adds layers with their parameters to a growing network; what the families share. Internal to
// zoo/.
#pragma once

#include "network/graph.hpp"
#include "zoo/zoo.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace topress::zoo {

/// Shape of one convolution; kernel and stride are square, padding keeps the size at stride 1.
struct Convolution {
    std::int64_t out = 0;
    std::int64_t kernel = 3;
    std::int64_t stride = 1;
    bool has_bias = false;
    bool is_depthwise = false;  ///< one filter for each channel; `out` is that of the input
};

/// A square window of a max pool.
struct Pool {
    std::int64_t kernel = 2;
    std::int64_t stride = 2;
    std::int64_t padding = 0;
};

/// An activation of the network under construction.
struct Activation {
    std::string value;
    std::int64_t channels = 0;
};

/// Every function appends one node named `name` and gives its output, a value of the same name.
/// Parameters have a shape and no memory until initialise() (zoo/init.hpp) gives them values.
class Builder {
  public:
    explicit Builder(const Specification& specification);

    [[nodiscard]] Activation input() const;
    Activation convolve(const std::string& name, const Activation& x, const Convolution& form);
    Activation batch_norm(const std::string& name, const Activation& x);
    Activation relu(const std::string& name, const Activation& x);
    Activation add(const std::string& name, const Activation& a, const Activation& b);
    /// The channels of `a`, then those of `b`.
    Activation concat(const std::string& name, const Activation& a, const Activation& b);
    Activation max_pool(const std::string& name, const Activation& x, const Pool& form = {});
    Activation avg_pool(const std::string& name,
                        const Activation& x,
                        const std::vector<std::int64_t>& kernel,
                        const std::vector<std::int64_t>& stride);
    Activation global_pool(const std::string& name, const Activation& x);
    /// `positions`: height times width of `x`.
    Activation flatten(const std::string& name, const Activation& x, std::int64_t positions = 1);
    Activation linear(const std::string& name, const Activation& x, std::int64_t out);

    /// The network with this output.
    [[nodiscard]] network::Network finish(const Activation& output);

  private:
    std::string parameter(const std::string& node,
                          const char* suffix,
                          network::Role role,
                          const std::vector<std::int64_t>& shape);
    Activation append(const std::string& name,
                      const char* op,
                      std::vector<std::string> inputs,
                      std::int64_t channels,
                      network::Attributes attributes = {});

    network::Network network_;
};

/// "head.pool", "head.flatten", "head.linear".
[[nodiscard]] network::Network finish_with_head(Builder& builder,
                                                const Activation& x,
                                                bool has_pool,
                                                std::int64_t classes);

}  // namespace topress::zoo
