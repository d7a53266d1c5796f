// The parts of topress.model/1, each in a file of its own.
#pragma once

#include "plugin/host_objects.hpp"
#include "plugin/host_tables.hpp"

#include <topress/abi.h>
#include <topress/detail/value.hpp>

namespace topress::plugin {

/// host_model_edit.cpp: parameters, nodes, exits, channels.
void add_model_editing(topress_model_v1& table) noexcept;

/// host_model_networks.cpp: copies, files, cost, running.
void add_model_networks(topress_model_v1& table) noexcept;

}  // namespace topress::plugin
