// The layout of everything that crosses the plugin boundary, frozen: sizes and offsets of ABI
// version 1.0 on 64 bit machines. A line changes only together with TOPRESS_ABI_MAJOR; a minor
// version appends lines.
#include <topress/abi.h>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

static_assert(sizeof(void*) == 8, "the numbers below are for 64 bit machines");

#define TOPRESS_SIZE(type, size)                                                         \
    static_assert(sizeof(type) == (size), "the size of " #type " is frozen");            \
    static_assert(std::is_standard_layout_v<type> && std::is_trivially_copyable_v<type>, \
                  #type " must be a C struct")
#define TOPRESS_AT(type, member, offset) \
    static_assert(offsetof(type, member) == (offset), #type "::" #member " has moved")

static_assert(TOPRESS_ABI_MAJOR == 1, "another major version has another layout");
static_assert(TOPRESS_ENTRY_MAGIC == 0x31535345525004F5ULL);
static_assert(TOPRESS_NOTE_TYPE == 1 && TOPRESS_ABI_NOTE_TYPE == 2);
static_assert(std::is_same_v<topress_status, std::int32_t>);
static_assert(TOPRESS_OK == 0 && TOPRESS_ERROR_INVALID_ARGUMENT == 1 &&
              TOPRESS_ERROR_NOT_FOUND == 2 && TOPRESS_ERROR_UNSUPPORTED == 3 &&
              TOPRESS_ERROR_CANCELLED == 4 && TOPRESS_ERROR_FAILED == 5 &&
              TOPRESS_ERROR_BUFFER_TOO_SMALL == 6);
static_assert(TOPRESS_TYPE_BOOL == 1 && TOPRESS_TYPE_INTEGER == 2 && TOPRESS_TYPE_NUMBER == 3 &&
              TOPRESS_TYPE_STRING == 4 && TOPRESS_TYPE_INTEGER_LIST == 5 &&
              TOPRESS_TYPE_NUMBER_LIST == 6 && TOPRESS_TYPE_STRING_LIST == 7);
static_assert(TOPRESS_SPLIT_TRAIN == 0 && TOPRESS_SPLIT_VALIDATION == 1);
static_assert(TOPRESS_LOG_TRACE == 0 && TOPRESS_LOG_DEBUG == 1 && TOPRESS_LOG_INFO == 2 &&
              TOPRESS_LOG_WARN == 3 && TOPRESS_LOG_ERROR == 4);

TOPRESS_SIZE(topress_error, 1272);
TOPRESS_AT(topress_error, struct_size, 0);
TOPRESS_AT(topress_error, code, 4);
TOPRESS_AT(topress_error, message, 8);
TOPRESS_AT(topress_error, where, 1016);

TOPRESS_SIZE(topress_fingerprint, 104);
TOPRESS_AT(topress_fingerprint, struct_size, 0);
TOPRESS_AT(topress_fingerprint, cxx11_abi, 4);
TOPRESS_AT(topress_fingerprint, size_of_tensor, 8);
TOPRESS_AT(topress_fingerprint, size_of_tensor_impl, 12);
TOPRESS_AT(topress_fingerprint, size_of_string, 16);
TOPRESS_AT(topress_fingerprint, size_of_shared_ptr, 20);
TOPRESS_AT(topress_fingerprint, torch_version, 24);
TOPRESS_AT(topress_fingerprint, torch_flavour, 56);
TOPRESS_AT(topress_fingerprint, standard_library, 72);

TOPRESS_SIZE(topress_abi_note, 120);
TOPRESS_AT(topress_abi_note, struct_size, 0);
TOPRESS_AT(topress_abi_note, abi_major, 4);
TOPRESS_AT(topress_abi_note, abi_minor, 8);
TOPRESS_AT(topress_abi_note, reserved, 12);
TOPRESS_AT(topress_abi_note, fingerprint, 16);

TOPRESS_SIZE(topress_host, 32);
TOPRESS_AT(topress_host, struct_size, 0);
TOPRESS_AT(topress_host, abi_major, 4);
TOPRESS_AT(topress_host, abi_minor, 8);
TOPRESS_AT(topress_host, version, 16);
TOPRESS_AT(topress_host, get_interface, 24);

TOPRESS_SIZE(topress_entry, 64);
TOPRESS_AT(topress_entry, magic, 0);
TOPRESS_AT(topress_entry, struct_size, 8);
TOPRESS_AT(topress_entry, abi_major, 12);
TOPRESS_AT(topress_entry, abi_minor, 14);
TOPRESS_AT(topress_entry, metadata, 16);
TOPRESS_AT(topress_entry, metadata_size, 24);
TOPRESS_AT(topress_entry, fingerprint, 32);
TOPRESS_AT(topress_entry, init, 40);
TOPRESS_AT(topress_entry, quiesce, 48);
TOPRESS_AT(topress_entry, get_interface, 56);

TOPRESS_SIZE(topress_value, 72);
TOPRESS_AT(topress_value, struct_size, 0);
TOPRESS_AT(topress_value, type, 4);
TOPRESS_AT(topress_value, name, 8);
TOPRESS_AT(topress_value, integer, 16);
TOPRESS_AT(topress_value, number, 24);
TOPRESS_AT(topress_value, string, 32);
TOPRESS_AT(topress_value, count, 40);
TOPRESS_AT(topress_value, integers, 48);
TOPRESS_AT(topress_value, numbers, 56);
TOPRESS_AT(topress_value, strings, 64);

TOPRESS_SIZE(topress_stage, 48);
TOPRESS_AT(topress_stage, struct_size, 0);
TOPRESS_AT(topress_stage, run, 8);
TOPRESS_AT(topress_stage, model, 16);
TOPRESS_AT(topress_stage, original, 24);
TOPRESS_AT(topress_stage, label, 32);
TOPRESS_AT(topress_stage, device, 40);

TOPRESS_SIZE(topress_techniques_v1, 40);
TOPRESS_AT(topress_techniques_v1, struct_size, 0);
TOPRESS_AT(topress_techniques_v1, create, 8);
TOPRESS_AT(topress_techniques_v1, destroy, 16);
TOPRESS_AT(topress_techniques_v1, configure, 24);
TOPRESS_AT(topress_techniques_v1, apply, 32);

TOPRESS_SIZE(topress_cost, 48);
TOPRESS_AT(topress_cost, struct_size, 0);
TOPRESS_AT(topress_cost, reserved, 4);
TOPRESS_AT(topress_cost, macs, 8);
TOPRESS_AT(topress_cost, bitops, 16);
TOPRESS_AT(topress_cost, expected_macs, 24);
TOPRESS_AT(topress_cost, parameters, 32);
TOPRESS_AT(topress_cost, stored_bytes, 40);

TOPRESS_SIZE(topress_exit, 48);
TOPRESS_AT(topress_exit, struct_size, 0);
TOPRESS_AT(topress_exit, reserved, 4);
TOPRESS_AT(topress_exit, name, 8);
TOPRESS_AT(topress_exit, logits, 16);
TOPRESS_AT(topress_exit, criterion, 24);
TOPRESS_AT(topress_exit, threshold, 32);
TOPRESS_AT(topress_exit, share, 40);

TOPRESS_SIZE(topress_model_v1, 328);
TOPRESS_AT(topress_model_v1, struct_size, 0);
TOPRESS_AT(topress_model_v1, node_count, 8);
TOPRESS_AT(topress_model_v1, node, 16);
TOPRESS_AT(topress_model_v1, node_input, 24);
TOPRESS_AT(topress_model_v1, node_output, 32);
TOPRESS_AT(topress_model_v1, node_attribute, 40);
TOPRESS_AT(topress_model_v1, set_attribute, 48);
TOPRESS_AT(topress_model_v1, value_shape, 56);
TOPRESS_AT(topress_model_v1, input, 64);
TOPRESS_AT(topress_model_v1, output, 72);
TOPRESS_AT(topress_model_v1, set_output, 80);
TOPRESS_AT(topress_model_v1, parameter_count, 88);
TOPRESS_AT(topress_model_v1, parameter_name, 96);
TOPRESS_AT(topress_model_v1, parameter, 104);
TOPRESS_AT(topress_model_v1, parameter_role, 112);
TOPRESS_AT(topress_model_v1, set_parameter, 120);
TOPRESS_AT(topress_model_v1, add_parameter, 128);
TOPRESS_AT(topress_model_v1, add_node, 136);
TOPRESS_AT(topress_model_v1, replace_input, 144);
TOPRESS_AT(topress_model_v1, replace_uses, 152);
TOPRESS_AT(topress_model_v1, remove_node, 160);
TOPRESS_AT(topress_model_v1, exit_count, 168);
TOPRESS_AT(topress_model_v1, exit, 176);
TOPRESS_AT(topress_model_v1, attach_exit, 184);
TOPRESS_AT(topress_model_v1, set_exit, 192);
TOPRESS_AT(topress_model_v1, remove_exit, 200);
TOPRESS_AT(topress_model_v1, group_count, 208);
TOPRESS_AT(topress_model_v1, group, 216);
TOPRESS_AT(topress_model_v1, group_member, 224);
TOPRESS_AT(topress_model_v1, keep_channels, 232);
TOPRESS_AT(topress_model_v1, clone, 240);
TOPRESS_AT(topress_model_v1, destroy, 248);
TOPRESS_AT(topress_model_v1, assign, 256);
TOPRESS_AT(topress_model_v1, variant, 264);
TOPRESS_AT(topress_model_v1, load, 272);
TOPRESS_AT(topress_model_v1, save, 280);
TOPRESS_AT(topress_model_v1, setting, 288);
TOPRESS_AT(topress_model_v1, cost, 296);
TOPRESS_AT(topress_model_v1, node_macs, 304);
TOPRESS_AT(topress_model_v1, forward, 312);
TOPRESS_AT(topress_model_v1, observe, 320);

TOPRESS_SIZE(topress_data_info, 40);
TOPRESS_AT(topress_data_info, struct_size, 0);
TOPRESS_AT(topress_data_info, classes, 4);
TOPRESS_AT(topress_data_info, channels, 8);
TOPRESS_AT(topress_data_info, height, 12);
TOPRESS_AT(topress_data_info, width, 16);
TOPRESS_AT(topress_data_info, loss, 20);
TOPRESS_AT(topress_data_info, train_samples, 24);
TOPRESS_AT(topress_data_info, validation_samples, 32);

TOPRESS_SIZE(topress_data_v1, 40);
TOPRESS_AT(topress_data_v1, struct_size, 0);
TOPRESS_AT(topress_data_v1, info, 8);
TOPRESS_AT(topress_data_v1, open, 16);
TOPRESS_AT(topress_data_v1, next, 24);
TOPRESS_AT(topress_data_v1, close, 32);

TOPRESS_SIZE(topress_loss_input, 56);
TOPRESS_AT(topress_loss_input, struct_size, 0);
TOPRESS_AT(topress_loss_input, output_count, 4);
TOPRESS_AT(topress_loss_input, outputs, 8);
TOPRESS_AT(topress_loss_input, teacher, 16);
TOPRESS_AT(topress_loss_input, labels, 24);
TOPRESS_AT(topress_loss_input, images, 32);
TOPRESS_AT(topress_loss_input, step, 40);
TOPRESS_AT(topress_loss_input, steps, 48);

TOPRESS_SIZE(topress_parameter_group, 40);
TOPRESS_AT(topress_parameter_group, struct_size, 0);
TOPRESS_AT(topress_parameter_group, reserved, 4);
TOPRESS_AT(topress_parameter_group, role, 8);
TOPRESS_AT(topress_parameter_group, name, 16);
TOPRESS_AT(topress_parameter_group, learning_rate_factor, 24);
TOPRESS_AT(topress_parameter_group, weight_decay, 32);

TOPRESS_SIZE(topress_fit_options, 128);
TOPRESS_AT(topress_fit_options, struct_size, 0);
TOPRESS_AT(topress_fit_options, freeze_statistics, 4);
TOPRESS_AT(topress_fit_options, epochs, 8);
TOPRESS_AT(topress_fit_options, learning_rate, 16);
TOPRESS_AT(topress_fit_options, label_smoothing, 24);
TOPRESS_AT(topress_fit_options, phase, 32);
TOPRESS_AT(topress_fit_options, seed, 40);
TOPRESS_AT(topress_fit_options, teacher, 48);
TOPRESS_AT(topress_fit_options, loss, 56);
TOPRESS_AT(topress_fit_options, loss_context, 64);
TOPRESS_AT(topress_fit_options, after_backward, 72);
TOPRESS_AT(topress_fit_options, after_step, 80);
TOPRESS_AT(topress_fit_options, step_context, 88);
TOPRESS_AT(topress_fit_options, groups, 96);
TOPRESS_AT(topress_fit_options, group_count, 104);
TOPRESS_AT(topress_fit_options, freeze_others, 112);
TOPRESS_AT(topress_fit_options, reserved, 116);
TOPRESS_AT(topress_fit_options, learning_rate_factor, 120);

TOPRESS_SIZE(topress_fit_report, 32);
TOPRESS_AT(topress_fit_report, struct_size, 0);
TOPRESS_AT(topress_fit_report, reserved, 4);
TOPRESS_AT(topress_fit_report, steps, 8);
TOPRESS_AT(topress_fit_report, final_loss, 16);
TOPRESS_AT(topress_fit_report, seconds, 24);

TOPRESS_SIZE(topress_evaluation, 48);
TOPRESS_AT(topress_evaluation, struct_size, 0);
TOPRESS_AT(topress_evaluation, reserved, 4);
TOPRESS_AT(topress_evaluation, samples, 8);
TOPRESS_AT(topress_evaluation, accuracy, 16);
TOPRESS_AT(topress_evaluation, loss, 24);
TOPRESS_AT(topress_evaluation, exit_count, 32);
TOPRESS_AT(topress_evaluation, exit_shares, 40);

TOPRESS_SIZE(topress_training_v1, 32);
TOPRESS_AT(topress_training_v1, struct_size, 0);
TOPRESS_AT(topress_training_v1, fit, 8);
TOPRESS_AT(topress_training_v1, evaluate, 16);
TOPRESS_AT(topress_training_v1, update_statistics, 24);

TOPRESS_SIZE(topress_run_v1, 56);
TOPRESS_AT(topress_run_v1, struct_size, 0);
TOPRESS_AT(topress_run_v1, log, 8);
TOPRESS_AT(topress_run_v1, progress, 16);
TOPRESS_AT(topress_run_v1, cancelled, 24);
TOPRESS_AT(topress_run_v1, random, 32);
TOPRESS_AT(topress_run_v1, artefact_directory, 40);
TOPRESS_AT(topress_run_v1, metric, 48);

TOPRESS_SIZE(topress_node, 32);
TOPRESS_AT(topress_node, struct_size, 0);
TOPRESS_AT(topress_node, attribute_count, 4);
TOPRESS_AT(topress_node, name, 8);
TOPRESS_AT(topress_node, op, 16);
TOPRESS_AT(topress_node, attributes, 24);

TOPRESS_SIZE(topress_shape, 72);
TOPRESS_AT(topress_shape, struct_size, 0);
TOPRESS_AT(topress_shape, rank, 4);
TOPRESS_AT(topress_shape, sizes, 8);

static_assert(TOPRESS_CHANNELS_BLOCKED == 0 && TOPRESS_CHANNELS_ELEMENTWISE == 1 &&
              TOPRESS_CHANNELS_NONE == 2);
TOPRESS_SIZE(topress_operator_cost, 24);
TOPRESS_AT(topress_operator_cost, struct_size, 0);
TOPRESS_AT(topress_operator_cost, weight_bits, 4);
TOPRESS_AT(topress_operator_cost, activation_bits, 8);
TOPRESS_AT(topress_operator_cost, output_bits, 12);
TOPRESS_AT(topress_operator_cost, macs, 16);

TOPRESS_SIZE(topress_operator, 72);
TOPRESS_AT(topress_operator, struct_size, 0);
TOPRESS_AT(topress_operator, channels, 4);
TOPRESS_AT(topress_operator, id, 8);
TOPRESS_AT(topress_operator, minimum_inputs, 16);
TOPRESS_AT(topress_operator, maximum_inputs, 20);
TOPRESS_AT(topress_operator, context, 24);
TOPRESS_AT(topress_operator, shape, 32);
TOPRESS_AT(topress_operator, forward, 40);
TOPRESS_AT(topress_operator, backward, 48);
TOPRESS_AT(topress_operator, cost, 56);
TOPRESS_AT(topress_operator, lower, 64);

TOPRESS_SIZE(topress_quantize_implementation, 24);
TOPRESS_AT(topress_quantize_implementation, struct_size, 0);
TOPRESS_AT(topress_quantize_implementation, reserved, 4);
TOPRESS_AT(topress_quantize_implementation, forward, 8);
TOPRESS_AT(topress_quantize_implementation, backward, 16);

TOPRESS_SIZE(topress_exit_gate_implementation, 16);
TOPRESS_AT(topress_exit_gate_implementation, struct_size, 0);
TOPRESS_AT(topress_exit_gate_implementation, reserved, 4);
TOPRESS_AT(topress_exit_gate_implementation, gate, 8);

TOPRESS_SIZE(topress_ops_v1, 32);
TOPRESS_AT(topress_ops_v1, struct_size, 0);
TOPRESS_AT(topress_ops_v1, implement_quantize, 8);
TOPRESS_AT(topress_ops_v1, implement_exit_gate, 16);
TOPRESS_AT(topress_ops_v1, register_operator, 24);

extern "C" std::size_t topress_c11_size_of(int index);

TEST_CASE("abi: C and C++ agree on the size of every struct") {
    const std::size_t sizes[] = {sizeof(topress_error),
                                 sizeof(topress_fingerprint),
                                 sizeof(topress_abi_note),
                                 sizeof(topress_host),
                                 sizeof(topress_entry),
                                 sizeof(topress_value),
                                 sizeof(topress_stage),
                                 sizeof(topress_techniques_v1),
                                 sizeof(topress_cost),
                                 sizeof(topress_exit),
                                 sizeof(topress_model_v1),
                                 sizeof(topress_data_info),
                                 sizeof(topress_data_v1),
                                 sizeof(topress_loss_input),
                                 sizeof(topress_parameter_group),
                                 sizeof(topress_fit_options),
                                 sizeof(topress_fit_report),
                                 sizeof(topress_evaluation),
                                 sizeof(topress_training_v1),
                                 sizeof(topress_run_v1),
                                 sizeof(topress_node),
                                 sizeof(topress_shape),
                                 sizeof(topress_operator_cost),
                                 sizeof(topress_operator),
                                 sizeof(topress_quantize_implementation),
                                 sizeof(topress_exit_gate_implementation),
                                 sizeof(topress_ops_v1)};
    int index = 0;
    for (const std::size_t size : sizes) {
        CAPTURE(index);
        CHECK(topress_c11_size_of(index) == size);
        ++index;
    }
    CHECK(topress_c11_size_of(index) == 0);
}
