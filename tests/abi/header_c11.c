/* <topress/abi.h> and <topress/metadata.h> as C11: compiled with -std=c11 -Wpedantic -Werror. */
#include <topress/abi.h>
#include <topress/metadata.h>

#include <stddef.h>

size_t topress_c11_size_of(int index);

/* Sizes in the order of the header; 0 after the last. */
size_t topress_c11_size_of(int index) {
    static const size_t sizes[] = {sizeof(topress_error),
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
                                   sizeof(topress_ops_v1),
                                   0};
    const int last = (int)(sizeof(sizes) / sizeof(sizes[0])) - 1;
    return sizes[index < last ? index : last];
}
