// Normal equations, summed over batches in double.
#include "number_heads.hpp"

#include <ATen/ATen.h>

#include <string>
#include <vector>

namespace topress::early_exit {
namespace {

// Many times the features of a head, and a small part of an epoch.
constexpr std::int64_t kSamples = 8192;
// Of the mean square of a feature: far below what features tell, above what rounding adds.
constexpr double kRidge = 1e-4;

/// What is summed for one head. Shape: square (F + 1, F + 1), product (F + 1, D); the last feature
/// is 1, for the bias.
struct Equations {
    at::Tensor square;
    at::Tensor product;

    void add(const at::Tensor& features, const at::Tensor& wanted) {
        const at::Tensor x =
            at::cat({features, at::ones({features.size(0), 1}, features.options())}, 1)
                .to(at::kDouble);
        const at::Tensor xx = x.t().mm(x);
        const at::Tensor xy = x.t().mm(wanted.to(at::kDouble));
        square = square.defined() ? square + xx : xx;
        product = product.defined() ? product + xy : xy;
    }

    /// Shape: (F + 1, D).
    [[nodiscard]] at::Tensor solution() const {
        at::Tensor penalty = square.diagonal().clone();
        penalty.fill_(penalty.mean().item<double>() * kRidge);
        return at::linalg_solve(square + penalty.diag(), product);
    }

    /// 1 / the mean square of all features together; at most 1, for one of them is.
    [[nodiscard]] double rate(std::int64_t samples) const {
        return static_cast<double>(samples) / square.diagonal().sum().item<double>();
    }
};

}  // namespace

std::vector<double> solve_number_heads(Model& model, Context& context, double label_weight) {
    const auto exits = model.exits();
    std::vector<NodeView> layers;     // linear: features, weight, bias
    std::vector<std::string> values;  // features of each, then the final numbers
    std::vector<Equations> equations(exits.size());
    for (const auto& exit : exits) {
        layers.push_back(model.producer(exit.logits).value());
        values.push_back(layers.back().inputs.front());
    }
    values.push_back(model.output());
    auto reader = context.batches(Split::Train, 0, true, context.random());
    std::int64_t samples = 0;
    while (samples < kSamples) {
        const auto batch = reader.next();
        if (!batch) {
            break;
        }
        const auto observed = model.observe(batch->images, values);
        const at::Tensor wanted =
            (observed.back() + batch->labels * label_weight) / (1 + label_weight);
        for (std::size_t k = 0; k < exits.size(); ++k) {
            equations[k].add(observed[k], wanted);
        }
        samples += batch->images.size(0);
    }
    std::vector<double> rates;
    for (std::size_t k = 0; samples > 0 && k < exits.size(); ++k) {
        rates.push_back(equations[k].rate(samples));
        const at::Tensor solution = equations[k].solution().t().to(at::kFloat);
        const std::int64_t features = solution.size(1) - 1;
        model.set_parameter(layers[k].inputs[1], solution.narrow(1, 0, features).contiguous());
        model.set_parameter(layers[k].inputs[2], solution.select(1, features).contiguous());
    }
    return rates;
}

}  // namespace topress::early_exit
