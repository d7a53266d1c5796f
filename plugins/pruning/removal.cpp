// Sizes of selections that are not made yet, and the one that is.
#include "removal.hpp"

#include <topress/walk.hpp>

#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <string>

namespace topress::pruning {
namespace {

// What two ways to add up the same numbers may differ by.
constexpr double kEqual = 1e-9;

/// MACs of selections: those of a convolution or linear layer are in proportion to the number of
/// its weights, and of these a group removes whole slices.
class MacsOfSelections {
  public:
    MacsOfSelections(const Model& model, const std::vector<GroupImportance>& groups) {
        const std::vector<NodeView> nodes = model.nodes();
        const auto behind_quantize = behind_quantizers(nodes);
        const std::set<std::string> main = ancestors(nodes, model.output());
        std::map<std::string, std::size_t> layer_of_weight;
        for (const auto& node : nodes) {
            const double macs = main.count(node.name) != 0 ? model.node_macs(node.name) : 0;
            if (macs <= 0 || node.inputs.size() < 2) {
                continue;
            }
            const auto quantized = behind_quantize.find(node.inputs[1]);
            const std::string& weight =
                quantized == behind_quantize.end() ? node.inputs[1] : quantized->second;
            layer_of_weight[weight] = layers_.size();
            layers_.push_back({macs, {}});
        }
        std::map<std::string, std::size_t> index_of_group;
        for (std::size_t g = 0; g < groups.size(); ++g) {
            index_of_group[groups[g].name] = g;
        }
        for (const auto& group : model.groups()) {
            const auto index = index_of_group.find(group.name);
            for (const auto& member : group.members) {
                const auto layer = layer_of_weight.find(member.parameter);
                if (index == index_of_group.end() || layer == layer_of_weight.end()) {
                    continue;
                }
                const std::int64_t size =
                    model.value_shape(member.parameter)[static_cast<std::size_t>(member.dim)];
                const double share = static_cast<double>(member.repeat) / static_cast<double>(size);
                layers_[layer->second].slices[member.dim].push_back({index->second, share});
            }
        }
        for (const auto& group : groups) {
            channels_.push_back(group.importance.size());
        }
    }

    [[nodiscard]] double operator()(const Kept& kept) const {
        double total = 0;
        for (const auto& layer : layers_) {
            double macs = layer.macs;
            for (const auto& [dim, slices] : layer.slices) {
                double removed = 0;
                for (const auto& slice : slices) {
                    const std::size_t gone = channels_[slice.group] - kept[slice.group].size();
                    removed += static_cast<double>(gone) * slice.share;
                }
                macs *= 1 - removed;
            }
            total += macs;
        }
        return total;
    }

  private:
    /// What one channel of a group takes of a dimension.
    struct Slice {
        std::size_t group = 0;
        double share = 0;
    };

    struct Layer {
        double macs = 0;
        std::map<std::int64_t, std::vector<Slice>> slices;  ///< by dimension of the weight
    };

    std::vector<Layer> layers_;
    std::vector<std::size_t> channels_;
};

void apply(Model& model, const std::vector<GroupImportance>& groups, const Kept& kept) {
    for (std::size_t g = 0; g < groups.size(); ++g) {
        if (kept[g].size() < groups[g].importance.size()) {
            model.keep_channels(groups[g].name, kept[g]);
        }
    }
}

double count(const Kept& kept) {
    double channels = 0;
    for (const auto& group : kept) {
        channels += static_cast<double>(group.size());
    }
    return channels;
}

}  // namespace

double size_of(const Model& model, Measure measure) {
    if (measure == Measure::Macs) {
        return model.cost().macs;
    }
    double channels = 0;
    for (const auto& group : model.groups()) {
        channels += static_cast<double>(group.channels);
    }
    return channels;
}

Selection remove_least_important(Model& model,
                                 const std::vector<GroupImportance>& groups,
                                 const Guards& guards,
                                 double target,
                                 Measure measure) {
    const auto tried_size = [&](const Kept& kept) {
        OwnedModel trial = model.clone();
        apply(trial, groups, kept);
        return size_of(trial, measure);
    };
    std::function<double(const Kept&)> size = count;
    if (measure == Measure::Macs) {
        size = MacsOfSelections(model, groups);
    }
    Selection selection = select_to_target(groups, guards, target, size);
    const double real = tried_size(selection.kept);
    if (std::abs(real - selection.size) > kEqual * std::abs(real)) {
        selection = select_to_target(groups, guards, target, tried_size);
    }
    if (selection.reached) {
        apply(model, groups, selection.kept);
    }
    return selection;
}

}  // namespace topress::pruning
