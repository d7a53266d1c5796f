// Checks of the shape of a configuration: which tables may stand where, and how labels look.
#pragma once

#include "config/schema.hpp"
#include "config/tree.hpp"

#include <optional>

namespace topress::config {

/// Tables in the place of values, values in the place of tables, and tables nobody knows.
void check_structure(const Tree& root, Diagnostics& diagnostics);

/// The values of a section without those that belong to another one, which are reported with that
/// place, and those that check_structure() reports.
[[nodiscard]] Parameters take_misplaced(const Parameters& values,
                                        const Section& section,
                                        Diagnostics& diagnostics);

/// What is wrong with the label of a technique: it names files, and the ledger has rows of its own.
[[nodiscard]] std::optional<Diagnostic> check_label(const Tree& technique);

}  // namespace topress::config
