// --set KEY=VALUE: one assignment of the command line laid over the tree of the file.
#include "config/tree.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace topress::config {

namespace {

constexpr std::string_view kQuotesAndBrackets = "\"'[{";

Diagnostic bad_override(const std::string& assignment, std::string message) {
    Diagnostic diagnostic;
    diagnostic.code = "config/bad-override";
    diagnostic.message = std::move(message);
    diagnostic.location.file = "--set " + assignment;
    diagnostic.hint = "write --set SECTION.KEY=VALUE, for example: --set train.batch_size=64";
    return diagnostic;
}

std::string without_outer_blanks(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) {
        return {};
    }
    return std::string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
}

// The only value of a document of one assignment, however deep; none if it is anything else.
struct Assignment {
    std::vector<std::string> path;  // names of tables, then of the value
    ParameterValue value;
};

std::optional<Assignment> parse_assignment(const std::string& text) {
    Diagnostics ignored;
    const Tree tree = read_tree(text, "--set", ignored);
    Assignment assignment;
    const Tree* table = &tree;
    while (table->values.empty() && table->tables.size() == 1 && table->rows.empty()) {
        table = &table->tables.front();
        assignment.path.push_back(table->name);
    }
    if (!ignored.empty() || table->values.size() != 1 || !table->tables.empty()) {
        return std::nullopt;
    }
    assignment.path.push_back(table->values.begin()->first);
    assignment.value = table->values.begin()->second.value;
    return assignment;
}

bool is_table_text(const std::string& value) {
    return value.starts_with('{');
}

std::optional<Assignment> parse(const std::string& key, const std::string& value) {
    if (is_table_text(value)) {
        return std::nullopt;
    }
    if (auto assignment = parse_assignment(key + " = " + value)) {
        return assignment;
    }
    if (!value.empty() && kQuotesAndBrackets.find(value.front()) != std::string_view::npos) {
        return std::nullopt;
    }
    return parse_assignment(key + " = " + to_toml(ParameterValue(value)));
}

// The table to put the value into, made where missing; null if a value is in the way.
Tree* descend(Tree& tree, const std::vector<std::string>& path, const Location& where) {
    Tree* table = &tree;
    for (auto name = path.begin(); name + 1 != path.end(); ++name) {
        if (table->values.contains(*name)) {
            return nullptr;
        }
        auto next = std::find_if(table->tables.begin(),
                                 table->tables.end(),
                                 [&](const Tree& known) { return known.name == *name; });
        if (next == table->tables.end()) {
            Tree fresh;
            fresh.name = *name;
            fresh.location = where;
            next = table->tables.insert(table->tables.end(), std::move(fresh));
        }
        table = &*next;
    }
    return find_table(*table, path.back()) == nullptr ? table : nullptr;
}

}  // namespace

void apply_override(Tree& tree, const std::string& assignment, Diagnostics& diagnostics) {
    const std::size_t equals = assignment.find('=');
    const bool one_line = assignment.find_first_of("\r\n") == std::string::npos;
    if (equals == std::string::npos || !one_line) {
        diagnostics.push_back(
            bad_override(assignment, "'" + assignment + "' is not of the form KEY=VALUE"));
        return;
    }
    const std::string key = without_outer_blanks(assignment.substr(0, equals));
    const std::string value = without_outer_blanks(assignment.substr(equals + 1));
    const auto parsed = parse(key, value);
    if (!parsed) {
        diagnostics.push_back(bad_override(
            assignment, "cannot read '" + value + "' as one value for the key '" + key + "'"));
        return;
    }
    const Location where{"--set " + assignment, 0, 0, 0};
    Tree* table = descend(tree, parsed->path, where);
    if (table == nullptr) {
        diagnostics.push_back(bad_override(
            assignment, "'" + key + "' would put a table and a value in the same place"));
        return;
    }
    table->values[parsed->path.back()] = {parsed->value, where, where};
}

}  // namespace topress::config
