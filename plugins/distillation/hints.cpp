// Pairing values, the regressors' nodes, and the distance with its gradient by formula.
#include "hints.hpp"

#include <topress/places.hpp>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace topress::distillation {
namespace {

constexpr double kLeastNorm = 1e-8;
// No probability reaches it: nobody leaves at a hint.
constexpr double kNever = 2.0;

using PictureSize = std::pair<std::int64_t, std::int64_t>;

/// The last place of every picture size.
std::map<PictureSize, Place> last_places(const Model& model) {
    std::map<PictureSize, Place> last;
    for (const auto& place : find_places(model)) {
        const auto shape = model.value_shape(place.value);
        last.insert_or_assign({shape[1], shape[2]}, place);
    }
    return last;
}

void attach_regressor(Model& student,
                      const std::string& name,
                      const Place& from,
                      std::int64_t channels,
                      at::Device device,
                      const at::Generator& random) {
    const double deviation = 1.0 / std::sqrt(static_cast<double>(from.channels));
    student.add_parameter(
        name + ".weight",
        "weight",
        at::randn({channels, from.channels, 1, 1}, random, at::TensorOptions(at::kFloat))
            .mul_(deviation)
            .to(device));
    student.add_node(name, "conv2d", {from.value, name + ".weight"}, {name + ".out"});
    student.add_node(name + ".flatten", "flatten", {name + ".out"}, {name + ".flatten.out"});
    Exit exit;
    exit.name = name;
    exit.logits = name + ".flatten.out";
    exit.threshold = kNever;
    student.attach_exit(exit);
}

}  // namespace

Hints::Hints(Model& student, const Model& teacher, at::Device device, std::uint64_t seed)
    : teacher_(teacher) {
    const at::Generator random = at::detail::createCPUGenerator(seed);
    const auto targets = last_places(teacher);
    for (const auto& [size, place] : last_places(student)) {
        if (const auto target = targets.find(size); target != targets.end()) {
            std::string name = "hint";
            name.append(std::to_string(pairs_.size() + 1));
            attach_regressor(student, name, place, target->second.channels, device, random);
            pairs_.push_back({name, place.value, target->second.value});
        }
    }
    if (pairs_.empty()) {
        throw PluginError(TOPRESS_ERROR_UNSUPPORTED,
                          "the network and its teacher have no values of one picture size that "
                          "could be compared: set hint_weight = 0",
                          "hint_weight");
    }
    for (const auto& exit : student.exits()) {
        const auto found = std::find_if(
            pairs_.begin(), pairs_.end(), [&](const Pair& pair) { return pair.name == exit.name; });
        pair_of_output_.push_back(found == pairs_.end() ? -1
                                                        : static_cast<int>(found - pairs_.begin()));
    }
}

void Hints::remove(Model& student) const {
    for (const auto& pair : pairs_) {
        student.remove_exit(pair.name);
    }
}

LossFunction Hints::loss(LossFunction taught, double weight) const {
    return [this, taught = std::move(taught), weight](const LossInput& input) {
        std::vector<std::string> values{teacher_.output()};
        for (const auto& pair : pairs_) {
            values.push_back(pair.teacher);
        }
        const auto seen = teacher_.observe(input.images, values);
        LossInput plain = input;
        plain.teacher = seen[0];
        plain.outputs.clear();
        for (std::size_t k = 0; k < input.outputs.size(); ++k) {
            if (k >= pair_of_output_.size() || pair_of_output_[k] < 0) {
                plain.outputs.push_back(input.outputs[k]);
            }
        }
        Loss inner = taught(plain);
        Loss total;
        total.value = inner.value;
        auto next = inner.gradients.begin();
        for (std::size_t k = 0; k < input.outputs.size(); ++k) {
            if (k >= pair_of_output_.size() || pair_of_output_[k] < 0) {
                total.gradients.push_back(std::move(*next++));
                continue;
            }
            const auto pair = static_cast<std::size_t>(pair_of_output_[k]);
            Loss one = hint_loss(input.outputs[k], seen[pair + 1].flatten(1));
            const double each = weight / static_cast<double>(pairs_.size());
            total.value = total.value + one.value * each;
            total.gradients.push_back(one.gradients.front().mul_(each));
        }
        return total;
    };
}

std::string Hints::describe() const {
    std::string text = "hints:";
    for (const auto& pair : pairs_) {
        text.append(" ").append(pair.student).append(" from ").append(pair.teacher).append(";");
    }
    return text;
}

Loss hint_loss(const at::Tensor& value, const at::Tensor& target) {
    const auto samples = static_cast<double>(std::max<std::int64_t>(value.size(0), 1));
    const at::Tensor length = value.norm(2, {1}, true).clamp_min(kLeastNorm);
    const at::Tensor direction = value / length;
    const at::Tensor wanted = target / target.norm(2, {1}, true).clamp_min(kLeastNorm);
    const at::Tensor cosine = (direction * wanted).sum({1}, true);
    at::Tensor gradient = (direction * cosine).sub_(wanted).div_(length).mul_(2.0 / samples);
    return {(2 - 2 * cosine).sum() / samples, {std::move(gradient)}};
}

}  // namespace topress::distillation
