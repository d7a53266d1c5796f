// run_stage(): copies, handles and services around one call of a technique.
#include "plugin/host_stage.hpp"

#include "base/error.hpp"
#include "network/custom.hpp"
#include "plugin/host_objects.hpp"
#include "plugin/library.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

namespace topress::plugin {

namespace {

/// Gives the stage's callbacks to the trainer, and takes them back whatever happens.
class TrainerCallbacks {
  public:
    explicit TrainerCallbacks(const StageServices& services) : services_(services) {
        if (services_.progress) {
            services_.trainer->on_progress(services_.progress);
        }
        if (services_.cancelled) {
            services_.trainer->set_cancelled(services_.cancelled);
        }
    }

    ~TrainerCallbacks() {
        if (services_.progress) {
            services_.trainer->on_progress({});
        }
        if (services_.cancelled) {
            services_.trainer->set_cancelled({});
        }
    }

    TrainerCallbacks(const TrainerCallbacks&) = delete;
    TrainerCallbacks& operator=(const TrainerCallbacks&) = delete;

  private:
    const StageServices& services_;
};

/// Records gradients, and goes back to the caller's mode afterwards. A caller that records already
/// sees what the technique makes of it.
class RecordingGradients {
  public:
    RecordingGradients() : was_off_(!at::GradMode::is_enabled()) {
        at::GradMode::set_enabled(true);
    }

    ~RecordingGradients() {
        if (was_off_) {
            at::GradMode::set_enabled(false);
        }
    }

    RecordingGradients(const RecordingGradients&) = delete;
    RecordingGradients& operator=(const RecordingGradients&) = delete;

  private:
    bool was_off_;
};

network::Network copy_to(const network::Network& network, at::Device device) {
    network::Network copy = network.clone();
    copy.to(device);
    return copy;
}

/// Whatever a technique did with autograd, the next stage gets plain tensors.
void drop_gradients(const network::Network& network) {
    for (const network::Parameter& parameter : network.parameters()) {
        if (parameter.tensor.is_leaf()) {
            parameter.tensor.set_requires_grad(false);
            parameter.tensor.mutable_grad().reset();
        }
    }
}

}  // namespace

void run_stage(TechniqueObject& technique,
               network::Network& model,
               const network::Network& original,
               StageServices& services) {
    TOPRESS_ASSERT(services.trainer != nullptr);
    const at::Device device = services.trainer->device();
    const std::string device_name = device.str();
    topress_model work(copy_to(model, device));
    topress_model baseline(copy_to(original, device), true);
    topress_run run(services, baseline.network);
    {
        const StageDevice on_device(device);
        const RecordingGradients recording;
        const TrainerCallbacks callbacks(services);
        technique.apply({sizeof(topress_stage),
                         &run,
                         &work,
                         &baseline,
                         services.label.c_str(),
                         device_name.c_str()});
        drop_gradients(work.network);
        // From here on the network needs nobody's code.
        work.network = network::lower_custom_operators(std::move(work.network));
    }
    // A tensor that the technique kept must not be one of the network's: it could be written to
    // long after the stage was checked.
    model = work.network.clone();
}

}  // namespace topress::plugin
