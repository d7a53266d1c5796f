// Resolves parameter groups and keeps the network's tensors in order around a fit.
#include "train/parameters.hpp"

#include "base/error.hpp"
#include "base/suggest.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <utility>

namespace topress::train {

namespace {

using network::Network;
using network::Parameter;
using network::Role;

void check_group(const Network& network, const ParameterGroup& group) {
    if (group.name.empty()) {
        static_cast<void>(network::parse_role(group.role));
        return;
    }
    if (network.find_parameter(group.name) != nullptr) {
        return;
    }
    std::vector<std::string> names;
    for (const Parameter& parameter : network.parameters()) {
        names.push_back(parameter.name);
    }
    const auto near = nearest(group.name, names);
    throw Error("train/unknown-parameter",
                "a parameter group names '" + group.name + "', which the network does not have",
                group.name,
                near ? "did you mean '" + *near + "'?" : "list the network's parameters");
}

// The group that decides about a parameter, or none.
const ParameterGroup* group_of(const Parameter& parameter,
                               const std::vector<ParameterGroup>& groups) {
    const ParameterGroup* found = nullptr;
    for (const ParameterGroup& group : groups) {
        const bool by_name = group.name == parameter.name;
        const bool by_role = group.name.empty() && group.role == to_string(parameter.role);
        if (by_name || (by_role && (found == nullptr || found->name.empty()))) {
            found = &group;
        }
    }
    return found;
}

}  // namespace

std::vector<Trained> choose_trained(const Network& network,
                                    const FitOptions& options,
                                    double weight_decay) {
    for (const ParameterGroup& group : options.groups) {
        check_group(network, group);
    }
    std::vector<Trained> trained;
    for (std::size_t i = 0; i < network.parameters().size(); ++i) {
        const Parameter& parameter = network.parameters()[i];
        if (parameter.role == Role::Buffer || !parameter.tensor.is_floating_point()) {
            continue;
        }
        const ParameterGroup* group = group_of(parameter, options.groups);
        const double factor = group != nullptr        ? group->learning_rate_factor
                              : options.freeze_others ? 0.0
                                                      : 1.0;
        const double usual_decay = parameter.role == Role::Weight ? weight_decay : 0.0;
        if (factor != 0) {
            trained.push_back(
                {parameter.name,
                 i,
                 factor,
                 group != nullptr ? group->weight_decay.value_or(usual_decay) : usual_decay});
        }
    }
    if (trained.empty()) {
        throw Error("train/nothing-to-train",
                    "phase '" + options.phase + "' freezes every parameter of the network",
                    options.phase,
                    "give at least one parameter group a learning rate factor above 0");
    }
    return trained;
}

TrainingScope::TrainingScope(Network& network, std::vector<Trained> trained)
    : network_(network), trained_(std::move(trained)), revision_(network.revision()) {
    for (const Trained& one : trained_) {
        tensors_.push_back(network_.parameters()[one.index].tensor);
    }
    try {
        for (const at::Tensor& tensor : tensors_) {
            tensor.requires_grad_(true);
        }
    } catch (...) {
        release();
        throw;
    }
}

TrainingScope::~TrainingScope() {
    release();
}

void TrainingScope::release() noexcept {
    for (const at::Tensor& tensor : tensors_) {
        tensor.mutable_grad().reset();
        tensor.requires_grad_(false);
    }
    for (const Parameter& parameter : network_.parameters()) {  // what a hook may have put in
        parameter.tensor.mutable_grad().reset();
        parameter.tensor.requires_grad_(false);
    }
}

std::vector<OptimizerGroup> TrainingScope::groups() const {
    std::vector<OptimizerGroup> groups;
    for (std::size_t i = 0; i < trained_.size(); ++i) {
        const Trained& one = trained_[i];
        auto place = std::find_if(groups.begin(), groups.end(), [&](const OptimizerGroup& group) {
            return group.learning_rate_factor == one.learning_rate_factor &&
                   group.weight_decay == one.weight_decay;
        });
        if (place == groups.end()) {
            groups.push_back({{}, one.learning_rate_factor, one.weight_decay});
            place = groups.end() - 1;
        }
        place->parameters.push_back(tensors_[i]);
    }
    return groups;
}

void TrainingScope::adopt_changes() {
    if (network_.revision() != revision_) {
        throw Error("train/structure-changed",
                    "a step hook changed the structure of the network",
                    {},
                    "change shapes, nodes and exits between two fits");
    }
    for (std::size_t i = 0; i < trained_.size(); ++i) {
        const at::Tensor& current = network_.parameters()[trained_[i].index].tensor;
        if (!current.is_same(tensors_[i])) {
            const c10::NoGradGuard no_gradients;
            tensors_[i].copy_(current);
            network_.set_parameter(trained_[i].name, tensors_[i]);
        }
    }
}

}  // namespace topress::train
