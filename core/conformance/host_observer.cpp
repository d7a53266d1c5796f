// Wrappers around the host's tables: counted, sometimes failing, otherwise the real thing.
#include "conformance/host_observer.hpp"

#include "plugin/host_tables.hpp"

#include <topress/detail/error.hpp>
#include <topress/tensor.hpp>

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <string_view>
#include <tuple>
#include <utility>

namespace topress::conformance {
namespace {

/// One for the process: tables are plain functions without a context.
struct State {
    std::mutex mutex;
    HostScript script;
    HostLog log;
    OfferedOperators offered;
    /// By address: one storage may be handed out often.
    std::map<const void*, c10::weak_intrusive_ptr<c10::StorageImpl>> handed_out;
};

State& state() {
    static State value;
    return value;
}

/// True when this call is to fail.
bool note_call(const char* name) {
    State& all = state();
    const std::scoped_lock lock(all.mutex);
    all.log.used.insert(name);
    ++all.log.calls;
    if (all.log.calls != all.script.fail_at) {
        return false;
    }
    all.log.failed_call = name;
    return true;
}

/// The wrapper of one table entry that returns a status; the error comes last.
template <auto Member>
struct Wrapped;

template <class Table, class... Arguments, topress_status (*Table::*Member)(Arguments...)>
struct Wrapped<Member> {
    static inline const Table* real = nullptr;
    static inline const char* name = "";

    static topress_status call(Arguments... arguments) {
        if (note_call(name)) {
            auto* error = std::get<sizeof...(Arguments) - 1>(std::tie(arguments...));
            return detail::fail(error,
                                TOPRESS_ERROR_FAILED,
                                std::string("made to fail by the conformance suite: ") + name);
        }
        return (real->*Member)(arguments...);
    }
};

template <auto Member, class Table>
void wrap(Table& table, const Table& real, const char* name) {
    Wrapped<Member>::real = &real;
    Wrapped<Member>::name = name;
    table.*Member = &Wrapped<Member>::call;
}

#define WRAP(Table, member) wrap<&Table::member>(table, real, #member)

topress_status parameter(const topress_model* model,
                         const char* name,
                         topress_tensor* out,
                         topress_error* error) {
    const topress_status status =
        Wrapped<&topress_model_v1::parameter>::call(model, name, out, error);
    if (status == TOPRESS_OK) {
        const c10::Storage& storage = to_tensor(out).storage();
        const std::scoped_lock lock(state().mutex);
        state().handed_out.insert_or_assign(storage.unsafeGetStorageImpl(),
                                            storage.getWeakStorageImpl());
    }
    return status;
}

topress_model_v1 watch_model() {
    const topress_model_v1& real = plugin::model_table();
    topress_model_v1 table = real;
    WRAP(topress_model_v1, node);
    WRAP(topress_model_v1, node_input);
    WRAP(topress_model_v1, node_output);
    WRAP(topress_model_v1, node_attribute);
    WRAP(topress_model_v1, set_attribute);
    WRAP(topress_model_v1, value_shape);
    WRAP(topress_model_v1, set_output);
    WRAP(topress_model_v1, parameter_name);
    WRAP(topress_model_v1, parameter);
    WRAP(topress_model_v1, parameter_role);
    WRAP(topress_model_v1, set_parameter);
    WRAP(topress_model_v1, add_parameter);
    WRAP(topress_model_v1, add_node);
    WRAP(topress_model_v1, replace_input);
    WRAP(topress_model_v1, replace_uses);
    WRAP(topress_model_v1, remove_node);
    WRAP(topress_model_v1, exit);
    WRAP(topress_model_v1, attach_exit);
    WRAP(topress_model_v1, set_exit);
    WRAP(topress_model_v1, remove_exit);
    WRAP(topress_model_v1, group);
    WRAP(topress_model_v1, group_member);
    WRAP(topress_model_v1, keep_channels);
    WRAP(topress_model_v1, clone);
    WRAP(topress_model_v1, assign);
    WRAP(topress_model_v1, variant);
    WRAP(topress_model_v1, load);
    WRAP(topress_model_v1, save);
    WRAP(topress_model_v1, setting);
    WRAP(topress_model_v1, cost);
    WRAP(topress_model_v1, node_macs);
    WRAP(topress_model_v1, forward);
    WRAP(topress_model_v1, observe);
    table.parameter = &parameter;
    return table;
}

topress_status open_reader(topress_run* run,
                           std::int32_t split,
                           std::uint64_t batch_size,
                           std::int32_t augment,
                           std::uint64_t seed,
                           topress_reader** out,
                           topress_error* error) {
    {
        const std::scoped_lock lock(state().mutex);
        state().log.read_training_split |= split == TOPRESS_SPLIT_TRAIN;
    }
    return Wrapped<&topress_data_v1::open>::call(run, split, batch_size, augment, seed, out, error);
}

topress_data_v1 watch_data() {
    const topress_data_v1& real = plugin::data_table();
    topress_data_v1 table = real;
    WRAP(topress_data_v1, info);
    WRAP(topress_data_v1, open);
    WRAP(topress_data_v1, next);
    table.open = &open_reader;
    return table;
}

topress_status fit(topress_run* run,
                   topress_model* model,
                   const topress_fit_options* options,
                   topress_fit_report* report,
                   topress_error* error) {
    {
        const std::scoped_lock lock(state().mutex);
        state().log.used_teacher |= options != nullptr && options->teacher != nullptr;
    }
    return Wrapped<&topress_training_v1::fit>::call(run, model, options, report, error);
}

topress_training_v1 watch_training() {
    const topress_training_v1& real = plugin::training_table();
    topress_training_v1 table = real;
    WRAP(topress_training_v1, fit);
    WRAP(topress_training_v1, evaluate);
    WRAP(topress_training_v1, update_statistics);
    table.fit = &fit;
    return table;
}

#undef WRAP

topress_status implement_quantize(const topress_quantize_implementation* offered,
                                  topress_error* error) {
    if (offered != nullptr) {
        state().offered.has_quantize = true;
        state().offered.quantize = *offered;
    }
    return plugin::ops_table().implement_quantize(offered, error);
}

topress_status implement_exit_gate(const topress_exit_gate_implementation* offered,
                                   topress_error* error) {
    if (offered != nullptr) {
        state().offered.has_exit_gate = true;
        state().offered.exit_gate = *offered;
    }
    return plugin::ops_table().implement_exit_gate(offered, error);
}

topress_ops_v1 watch_operators() {
    topress_ops_v1 table = plugin::ops_table();
    table.implement_quantize = &implement_quantize;
    table.implement_exit_gate = &implement_exit_gate;
    return table;
}

const void* find_table(const char* id) {
    static const topress_model_v1 kModel = watch_model();
    static const topress_data_v1 kData = watch_data();
    static const topress_training_v1 kTraining = watch_training();
    static const topress_ops_v1 kOperators = watch_operators();
    const std::string_view wanted = id != nullptr ? id : "";
    {
        const std::scoped_lock lock(state().mutex);
        if (state().script.hidden.contains(std::string(wanted))) {
            return nullptr;
        }
    }
    if (wanted == TOPRESS_MODEL_1) {
        return &kModel;
    }
    if (wanted == TOPRESS_DATA_1) {
        return &kData;
    }
    if (wanted == TOPRESS_TRAINING_1) {
        return &kTraining;
    }
    return wanted == TOPRESS_OPS_1 ? &kOperators : plugin::host_interface().get_interface(id);
}

const topress_techniques_v1* g_techniques = nullptr;

topress_status apply(topress_technique* technique,
                     const topress_stage* stage,
                     topress_error* error) {
    const topress_status status = g_techniques->apply(technique, stage, error);
    const std::scoped_lock lock(state().mutex);
    state().log.apply_status = status;
    state().log.apply_message =
        status == TOPRESS_OK
            ? ""
            : std::string(error->message, ::strnlen(error->message, sizeof error->message));
    return status;
}

}  // namespace

const topress_host& observed_host() noexcept {
    static const topress_host kHost = [] {
        topress_host host = plugin::host_interface();
        host.get_interface = &find_table;
        return host;
    }();
    return kHost;
}

void set_host_script(HostScript script) {
    const std::scoped_lock lock(state().mutex);
    state().script = std::move(script);
}

HostLog host_log() {
    const std::scoped_lock lock(state().mutex);
    return state().log;
}

void reset_host_log() {
    const std::scoped_lock lock(state().mutex);
    state().log = {};
    state().handed_out.clear();
}

std::size_t count_held_parameters() {
    const std::scoped_lock lock(state().mutex);
    return static_cast<std::size_t>(std::ranges::count_if(
        state().handed_out, [](const auto& storage) { return storage.second.use_count() > 0; }));
}

const topress_techniques_v1& observed_techniques(const topress_techniques_v1& table) {
    static topress_techniques_v1 observed;
    g_techniques = &table;
    observed = table;
    observed.apply = &apply;
    return observed;
}

const OfferedOperators& offered_operators() {
    return state().offered;
}

}  // namespace topress::conformance
