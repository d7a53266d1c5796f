// TOML++ nodes -> Tree.
#include "config/tree.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

namespace topress::config {

namespace {

// A value over several lines is underlined to the end of its first one.
Location location_of(const toml::source_region& region, const std::string& file) {
    Location location{
        file, static_cast<int>(region.begin.line), static_cast<int>(region.begin.column), 0};
    location.length = region.end.line == region.begin.line
                          ? static_cast<int>(region.end.column) - location.column
                          : std::numeric_limits<int>::max();
    return location;
}

template <typename Element>
std::vector<Element> elements_of(const toml::array& array) {
    std::vector<Element> elements;
    for (const toml::node& node : array) {
        elements.push_back(*node.value<Element>());
    }
    return elements;
}

bool all_are(const toml::array& array, bool (*is_wanted)(const toml::node&)) {
    return std::all_of(array.begin(), array.end(), is_wanted);
}

std::optional<ParameterValue> list_of(const toml::array& array) {
    if (all_are(array, [](const toml::node& node) { return node.is_integer(); })) {
        return elements_of<std::int64_t>(array);
    }
    if (all_are(array, [](const toml::node& node) { return node.is_number(); })) {
        return elements_of<double>(array);
    }
    if (all_are(array, [](const toml::node& node) { return node.is_string(); })) {
        return elements_of<std::string>(array);
    }
    return std::nullopt;
}

std::optional<ParameterValue> value_of(const toml::node& node) {
    switch (node.type()) {
        case toml::node_type::boolean:
            return **node.as_boolean();
        case toml::node_type::integer:
            return **node.as_integer();
        case toml::node_type::floating_point:
            return **node.as_floating_point();
        case toml::node_type::string:
            return **node.as_string();
        case toml::node_type::array:
            return list_of(*node.as_array());
        default:
            return std::nullopt;
    }
}

bool is_array_of_tables(const toml::node& node) {
    const toml::array* array = node.as_array();
    return array != nullptr && !array->empty() &&
           all_are(*array, [](const toml::node& element) { return element.is_table(); });
}

Diagnostic unsupported(const std::string& name, const Location& where, bool is_array) {
    Diagnostic diagnostic;
    diagnostic.code = "config/wrong-type";
    diagnostic.message = "the value of '" + name + "' is of a kind that no key accepts: " +
                         (is_array ? "a list with mixed or nested elements" : "a date or time");
    diagnostic.location = where;
    diagnostic.hint = "use a bool, number, string, or a list of numbers or of strings";
    return diagnostic;
}

class Reader {
  public:
    Reader(const std::string& file, Diagnostics& diagnostics)
        : file_(file), diagnostics_(diagnostics) {}

    Tree read(std::string name, const Location& location, const toml::table& table) {
        Tree tree;
        tree.name = std::move(name);
        tree.location = location;
        for (const auto& [key, node] : table) {
            add(tree, std::string(key.str()), location_of(key.source(), file_), node);
        }
        sort_by_place(tree.tables);
        return tree;
    }

  private:
    // TOML++ keeps tables sorted by name; we keep what the author wrote.
    static void sort_by_place(std::vector<Tree>& trees) {
        std::stable_sort(trees.begin(), trees.end(), [](const Tree& a, const Tree& b) {
            return std::pair(a.location.line, a.location.column) <
                   std::pair(b.location.line, b.location.column);
        });
    }

    void add(Tree& tree, const std::string& name, const Location& key, const toml::node& node) {
        if (const toml::table* table = node.as_table()) {
            tree.tables.push_back(read(name, key, *table));
        } else if (is_array_of_tables(node)) {
            for (const toml::node& row : *node.as_array()) {
                tree.rows.push_back(read(name, location_of(row.source(), file_), *row.as_table()));
            }
        } else if (const auto value = value_of(node)) {
            tree.values[name] = {*value, key, location_of(node.source(), file_)};
        } else {
            diagnostics_.push_back(
                unsupported(name, location_of(node.source(), file_), node.is_array()));
        }
    }

    const std::string& file_;
    Diagnostics& diagnostics_;
};

// "Error while parsing boolean: expected ..." -> "not valid TOML (boolean): expected ...".
std::string message_of(const toml::parse_error& error) {
    constexpr std::string_view kPrefix = "Error while parsing ";
    const std::string_view description = error.description();
    const std::size_t colon = description.find(": ");
    if (!description.starts_with(kPrefix) || colon == std::string_view::npos) {
        return "not valid TOML: " + std::string(description);
    }
    const std::string part(description.substr(kPrefix.size(), colon - kPrefix.size()));
    return "not valid TOML (" + part + ")" + std::string(description.substr(colon));
}

Diagnostic syntax_error(const toml::parse_error& error, const std::string& file) {
    Diagnostic diagnostic;
    diagnostic.code = "config/syntax";
    diagnostic.message = message_of(error);
    diagnostic.location = location_of(error.source(), file);
    diagnostic.hint = "correct the marked place; strings need quotes, a key may appear only once";
    return diagnostic;
}

}  // namespace

Tree read_tree(std::string_view text, const std::string& file, Diagnostics& diagnostics) {
    try {
        const toml::table document = toml::parse(text, std::string_view(file));
        return Reader(file, diagnostics).read({}, Location{file, 0, 0, 0}, document);
    } catch (const toml::parse_error& error) {
        diagnostics.push_back(syntax_error(error, file));
        return {};
    }
}

const Tree* find_table(const Tree& tree, std::string_view name) {
    const auto found = std::find_if(tree.tables.begin(), tree.tables.end(), [&](const Tree& table) {
        return table.name == name;
    });
    return found == tree.tables.end() ? nullptr : &*found;
}

}  // namespace topress::config
