// A network as one safetensors file whose metadata holds the graph: loads without any plugin.
#pragma once

#include "network/graph.hpp"

#include <filesystem>
#include <map>
#include <string>

namespace topress::network {

/// Writes atomically. Same network, same bytes. `metadata`: free text entries ("topress.<key>").
/// Throws Error{file/cannot-write}.
void save_network(const Network& network,
                  const std::filesystem::path& path,
                  const std::map<std::string, std::string>& metadata = {});

/// The bytes save_network writes.
[[nodiscard]] std::string to_bytes(const Network& network,
                                   const std::map<std::string, std::string>& metadata = {});

/// Throws Error{network/bad-file} naming file and what is wrong (header length, bounds, missing
/// tensor, unknown operator, cycle); {file/cannot-read}.
[[nodiscard]] Network load_network(const std::filesystem::path& path);

[[nodiscard]] Network from_bytes(const std::string& bytes, const std::string& name_for_errors);

/// The free text entries of a file.
[[nodiscard]] std::map<std::string, std::string> load_metadata(const std::filesystem::path& path);

}  // namespace topress::network
