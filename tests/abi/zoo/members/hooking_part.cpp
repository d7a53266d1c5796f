// Trains over the C ABI with a hook that throws: on the thread of the run, or on one of its own.
#include <topress/abi.h>

#include <limits>
#include <thread>

namespace {

struct NoException {
    int value;
};

const topress_host* g_host = nullptr;

topress_status throw_here(void*, topress_model*, uint64_t, uint64_t, topress_error*) {
    throw NoException{1};
}

topress_status throw_elsewhere(void*, topress_model*, uint64_t, uint64_t, topress_error*) {
    std::thread([] { throw NoException{2}; }).join();
    return TOPRESS_OK;
}

topress_status fit(const topress_stage* stage, topress_step_function hook, topress_error* error) {
    const auto* training =
        static_cast<const topress_training_v1*>(g_host->get_interface(TOPRESS_TRAINING_1));
    topress_fit_options options{};
    options.struct_size = sizeof(options);
    options.epochs = 1;
    options.learning_rate = std::numeric_limits<double>::quiet_NaN();
    options.label_smoothing = std::numeric_limits<double>::quiet_NaN();
    options.after_backward = hook;
    topress_fit_report report{};
    report.struct_size = sizeof(report);
    return training->fit(stage->run, stage->model, &options, &report, error);
}

}  // namespace

extern "C" {

topress_status hooking_init(const topress_host* host, topress_error*) {
    g_host = host;
    return TOPRESS_OK;
}

topress_status throws_here(topress_technique*, const topress_stage* stage, topress_error* error) {
    return fit(stage, &throw_here, error);
}

topress_status throws_elsewhere(topress_technique*,
                                const topress_stage* stage,
                                topress_error* error) {
    return fit(stage, &throw_elsewhere, error);
}
}
