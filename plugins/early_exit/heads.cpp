// Places of heads, their nodes and their first parameters.
#include "heads.hpp"

#include "thresholds.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace topress::early_exit {
namespace {

[[noreturn]] void throw_no_place() {
    throw PluginError(
        TOPRESS_ERROR_UNSUPPORTED,
        "no place for a head: nowhere does all of the computation pass through one value");
}

std::vector<Head> named(const std::vector<Place>& places) {
    if (places.empty()) {
        throw_no_place();
    }
    std::vector<Head> heads;
    for (const auto& place : places) {
        heads.push_back({"exit" + std::to_string(heads.size() + 1), place});
    }
    return heads;
}

/// Adds the nodes of one head, each behind the one before.
class Builder {
  public:
    Builder(Model& model, const Head& head, at::Device device, std::uint64_t seed)
        : model_(model),
          prefix_(head.name),
          value_(head.place.value),
          device_(device),
          random_(at::detail::createCPUGenerator(seed)) {}

    /// Fresh filters with the spread that relu keeps (He et al. 2015), and no bias.
    void convolution(std::int64_t from, std::int64_t to, std::int64_t kernel, std::int64_t stride) {
        const double deviation = std::sqrt(2.0 / static_cast<double>(from * kernel * kernel));
        const std::string weight =
            parameter("conv.weight",
                      "weight",
                      at::randn({to, from, kernel, kernel}, random_, at::TensorOptions(at::kFloat))
                          .mul_(deviation));
        const std::string bias = parameter("conv.bias", "bias", at::zeros({to}));
        node("conv",
             "conv2d",
             {weight, bias},
             {{"stride", std::vector<std::int64_t>{stride, stride}},
              {"padding", std::vector<std::int64_t>{kernel / 2, kernel / 2}}});
        node("relu", "relu", {});
    }

    /// Zeros are a fair start for one linear layer: all answers equally likely, gradients differ by
    /// input.
    void linear(std::int64_t from, std::int64_t to) {
        const std::string weight = parameter("linear.weight", "weight", at::zeros({to, from}));
        const std::string bias = parameter("linear.bias", "bias", at::zeros({to}));
        model_.add_node(
            prefix_ + ".linear", "linear", {value_, weight, bias}, {prefix_ + ".logits"});
    }

    void node(const std::string& name,
              const std::string& op,
              const std::vector<std::string>& parameters,
              const Attributes& attributes = {}) {
        std::vector<std::string> inputs{value_};
        inputs.insert(inputs.end(), parameters.begin(), parameters.end());
        const std::string whole = prefix_ + "." + name;
        model_.add_node(whole, op, inputs, {whole + ".out"}, attributes);
        value_ = whole + ".out";
    }

  private:
    std::string parameter(const std::string& name, const char* role, const at::Tensor& tensor) {
        const std::string whole = prefix_ + "." + name;
        model_.add_parameter(whole, role, tensor.to(device_));
        return whole;
    }

    Model& model_;
    std::string prefix_;
    std::string value_;
    at::Device device_;
    at::Generator random_;
};

}  // namespace

HeadKind parse_head_kind(const std::string& name) {
    if (name == "conv") {
        return HeadKind::Conv;
    }
    return name == "features" ? HeadKind::Features : HeadKind::Linear;
}

std::vector<Head> heads_at_positions(const Model& model, const std::vector<double>& positions) {
    return named(choose_places(find_places(model), positions));
}

std::vector<Head> heads_at_names(const Model& model, const std::vector<std::string>& names) {
    const auto places = find_places(model);
    std::vector<Place> chosen;
    for (const auto& name : names) {
        const auto found = std::find_if(places.begin(), places.end(), [&](const Place& place) {
            const auto node = model.producer(place.value);
            return place.value == name || (node && node->name == name);
        });
        if (found == places.end()) {
            std::string text = "no head can be attached at '";
            text.append(name).append("'; it can at:");
            for (const auto& place : places) {
                text.append(" ").append(place.value);
            }
            throw PluginError(TOPRESS_ERROR_INVALID_ARGUMENT, text, "places");
        }
        chosen.push_back(*found);
    }
    std::sort(chosen.begin(), chosen.end(), [](const Place& a, const Place& b) {
        return a.macs_share < b.macs_share;
    });
    const auto twice =
        std::adjacent_find(chosen.begin(), chosen.end(), [](const Place& a, const Place& b) {
            return a.value == b.value;
        });
    if (twice != chosen.end()) {
        std::string text = "'";
        text.append(twice->value).append("' is named twice");
        throw PluginError(TOPRESS_ERROR_INVALID_ARGUMENT, text, "places");
    }
    return named(chosen);
}

std::vector<Head> heads_at_candidates(const Model& model, int count) {
    std::vector<double> positions;
    for (int i = 1; i <= count; ++i) {
        positions.push_back(static_cast<double>(i) / (count + 1));
    }
    return heads_at_positions(model, positions);
}

void attach_head(Model& model,
                 const Head& head,
                 const HeadOptions& options,
                 at::Device device,
                 std::uint64_t seed) {
    Builder build(model, head, device, seed);
    std::int64_t channels = head.place.channels;
    if (options.kind == HeadKind::Conv) {
        build.convolution(channels, channels, 3, 2);
    } else if (options.kind == HeadKind::Features) {
        build.convolution(channels, options.codewords, 1, 1);
        channels = options.codewords;
    }
    build.node("pool", "global_avg_pool", {});
    build.node("flatten", "flatten", {});
    build.linear(channels, options.outputs);
    Exit exit;
    exit.name = head.name;
    exit.logits = head.name + ".logits";
    exit.criterion = options.criterion;
    exit.threshold = kNever;
    model.attach_exit(exit);
}

std::vector<std::string> head_parameters(const Model& model, const std::string& exit) {
    std::vector<std::string> names = model.parameters();
    std::erase_if(names, [prefix = exit + "."](const std::string& name) {
        return name.compare(0, prefix.size(), prefix) != 0;
    });
    return names;
}

}  // namespace topress::early_exit
