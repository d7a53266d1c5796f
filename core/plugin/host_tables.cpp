// The interface object given to plugins and its lookup by interface id.
#include "plugin/host_tables.hpp"

#include <string_view>

namespace topress::plugin {

namespace {

const void* find_table(const char* id) noexcept {
    const std::string_view wanted = id != nullptr ? id : "";
    if (wanted == TOPRESS_MODEL_1) {
        return &model_table();
    }
    if (wanted == TOPRESS_DATA_1) {
        return &data_table();
    }
    if (wanted == TOPRESS_TRAINING_1) {
        return &training_table();
    }
    if (wanted == TOPRESS_RUN_1) {
        return &run_table();
    }
    return wanted == TOPRESS_OPS_1 ? &ops_table() : nullptr;
}

}  // namespace

const topress_host& host_interface() noexcept {
    static constexpr topress_host kHost = {
        sizeof(topress_host), TOPRESS_ABI_MAJOR, TOPRESS_ABI_MINOR, TOPRESS_VERSION, &find_table};
    return kHost;
}

}  // namespace topress::plugin
