// The technique: codebooks for every layer that is large enough, then fine-tuned centroids.
#pragma once

#include <topress/plugin.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace example::clustering {

/// Parameters are those of plugin.toml.
class KMeans : public topress::Technique {
  public:
    void configure(const topress::Params& params) override;
    void apply(topress::Model& model, topress::Context& context) override;

  private:
    std::vector<topress::NodeView> layers_of(const topress::Model& model) const;
    /// Puts a lookup between the layer and its weight; the name of the codebook parameter.
    std::string share(topress::Model& model, const topress::NodeView& layer) const;
    void fine_tune(topress::Model& model,
                   topress::Context& context,
                   const std::vector<std::string>& codebooks) const;

    std::int64_t bits_ = 4;
    std::int64_t iterations_ = 20;
    std::int64_t elements_per_value_ = 4;
    double epochs_ = 1;
    double learning_rate_factor_ = 0.05;
};

}  // namespace example::clustering
