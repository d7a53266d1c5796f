// Keeps every tensor of a stage, of its network and of the original; the next stage spoils them,
// and fails if that reached anything it is given.
#include <topress/plugin.hpp>

#include <ATen/ATen.h>

#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

std::vector<at::Tensor>& kept() {
    static auto& tensors = *new std::vector<at::Tensor>;
    return tensors;
}

void keep(const topress::Model& model) {
    for (const std::string& name : model.parameters()) {
        kept().push_back(model.parameter(name));
        if (!at::isfinite(kept().back()).all().item<bool>()) {
            throw std::runtime_error("'" + name + "' is still the tensor of an earlier stage");
        }
    }
}

class KeepsTensors : public topress::Technique {
    void apply(topress::Model& model, topress::Context& context) override {
        for (at::Tensor& tensor : kept()) {
            tensor.fill_(std::numeric_limits<float>::quiet_NaN());
        }
        kept().clear();
        keep(model);
        keep(context.original());
        const std::string name = model.parameters().back();
        model.set_parameter(name, model.parameter(name) + 0.01);
        kept().push_back(model.parameter(name));
    }
};

}  // namespace

TOPRESS_PLUGIN(TOPRESS_TECHNIQUE("fixture.keeps-tensor", KeepsTensors));
