// A TOML document as plain located values: the one view of TOML++ that the rest of config/ has.
#pragma once

#include "base/diagnostic.hpp"
#include "config/parameter.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace topress::config {

/// One table. `tables` are sub-tables; `rows` are the elements of arrays of tables, in file order,
/// all those of one array under the same name.
struct Tree {
    std::string name;
    Location location;  ///< of the key that names it
    Parameters values;
    std::vector<Tree> tables;
    std::vector<Tree> rows;
};

/// Parses a document. A syntax error (config/syntax) ends the reading; a value of a kind that no
/// key accepts (date, mixed or nested list) is reported as config/wrong-type and left out.
[[nodiscard]] Tree read_tree(std::string_view text,
                             const std::string& file,
                             Diagnostics& diagnostics);

/// Puts "a.b.c=VALUE" into the tree, over what is there. A value that is no TOML and does not look
/// like a quoted or bracketed one is a string. Mistakes: config/bad-override.
void apply_override(Tree& tree, const std::string& assignment, Diagnostics& diagnostics);

/// The sub-table of that name, or null.
[[nodiscard]] const Tree* find_table(const Tree& tree, std::string_view name);

}  // namespace topress::config
