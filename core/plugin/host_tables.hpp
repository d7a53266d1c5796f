// What the host offers to plugins: the interface object given to init, and its function tables.
#pragma once

#include <topress/abi.h>

namespace topress::plugin {

/// Given to every plugin at init; lives as long as the process.
[[nodiscard]] const topress_host& host_interface() noexcept;

/// The tables behind host_interface(), one source file each.
[[nodiscard]] const topress_model_v1& model_table() noexcept;
[[nodiscard]] const topress_data_v1& data_table() noexcept;
[[nodiscard]] const topress_training_v1& training_table() noexcept;
[[nodiscard]] const topress_run_v1& run_table() noexcept;
[[nodiscard]] const topress_ops_v1& ops_table() noexcept;

}  // namespace topress::plugin
