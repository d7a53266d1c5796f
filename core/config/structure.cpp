// Which tables may stand where.
#include "config/structure.hpp"

#include "base/suggest.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace topress::config {

namespace {

constexpr std::size_t kLongestLabel = 64;
constexpr std::string_view kTechniques = "technique";

Diagnostic make_error(std::string code, std::string message, Location where, std::string hint) {
    Diagnostic diagnostic;
    diagnostic.code = std::move(code);
    diagnostic.message = std::move(message);
    diagnostic.location = std::move(where);
    diagnostic.hint = std::move(hint);
    return diagnostic;
}

const Section* find_section(std::string_view name) {
    const auto& sections = schema();
    const auto found = std::find_if(sections.begin(), sections.end(), [&](const Section& section) {
        return section.name == name && !name.empty();
    });
    return found == sections.end() ? nullptr : &*found;
}

const Key* find_key(const Section& section, std::string_view name) {
    const auto found = std::find_if(section.keys.begin(), section.keys.end(), [&](const Key& key) {
        return key.spec.name == name;
    });
    return found == section.keys.end() ? nullptr : &*found;
}

bool is_table_name(std::string_view name) {
    return name == kTechniques || find_section(name) != nullptr;
}

Diagnostic value_in_place_of_table(const std::string& table, const Location& where) {
    return make_error("config/wrong-type",
                      "'" + table + "' must be a table, found a value",
                      where,
                      "write a line [" + table + "] and its keys below it");
}

Diagnostic list_in_place_of_table(const std::string& table, const Location& where) {
    return make_error("config/wrong-type",
                      "'" + table + "' must be one table, found a list of tables",
                      where,
                      "write [" + table + "] with single brackets");
}

Diagnostic table_in_place_of_value(const Key& key, const Section& section, const Location& where) {
    return make_error("config/wrong-type",
                      "'" + key.spec.name + "' in " + title_of(section) +
                          " must be a value of type " + std::string(type_name(key.spec.type)) +
                          ", found a table",
                      where,
                      "write it as a key: " + key.spec.name + " = ...");
}

Diagnostic unknown_table(const Tree& table) {
    std::vector<std::string> names;
    std::string list;
    for (const Section& section : schema()) {
        if (!section.name.empty()) {
            names.push_back(section.name);
            list += "[" + section.name + "], ";
        }
    }
    names.emplace_back(kTechniques);
    const auto similar = nearest(table.name, names);
    return make_error("config/unknown-key",
                      "unknown section '" + table.name + "'",
                      table.location,
                      (similar ? "did you mean '" + *similar + "'? " : std::string()) +
                          "sections: " + list + "[technique.LABEL]");
}

Diagnostic unknown_subtable(const Section& section, const Tree& table) {
    return make_error("config/unknown-key",
                      "unknown table '" + table.name + "' in " + title_of(section),
                      table.location,
                      "remove the table; " + title_of(section) + " holds only keys");
}

Diagnostic list_wanted(const Section& section, const std::string& found, const Location& where) {
    const std::string name = section.name + "." + std::string(list_in(section));
    return make_error("config/wrong-type",
                      "'" + name + "' must be a list of tables" + found,
                      where,
                      "write [[" + name + "]] with double brackets");
}

// Tables and lists of tables inside a section; few have a list of their own.
void check_inside(const Section& section, const Tree& tree, Diagnostics& diagnostics) {
    const auto check = [&](const Tree& inner) {
        const Key* key = find_key(section, inner.name);
        diagnostics.push_back(key == nullptr
                                  ? unknown_subtable(section, inner)
                                  : table_in_place_of_value(*key, section, inner.location));
    };
    const std::string_view list = list_in(section);
    for (const Tree& table : tree.tables) {
        if (!list.empty() && table.name == list) {
            diagnostics.push_back(list_wanted(section, "", table.location));
        } else {
            check(table);
        }
    }
    for (const Tree& row : tree.rows) {
        if (list.empty() || row.name != list) {
            check(row);
        }
    }
}

void check_techniques(const Tree& techniques, Diagnostics& diagnostics) {
    const std::string prefix = std::string(kTechniques) + ".";
    for (const auto& [label, value] : techniques.values) {
        diagnostics.push_back(value_in_place_of_table(prefix + label, value.key));
    }
    for (const Tree& row : techniques.rows) {
        diagnostics.push_back(list_in_place_of_table(prefix + row.name, row.location));
    }
    for (const Tree& technique : techniques.tables) {
        const auto report = [&](const Tree& inner) {
            diagnostics.push_back(
                make_error("config/wrong-type",
                           "'" + inner.name + "' in [technique." + technique.name + "] is a table",
                           inner.location,
                           "parameters are plain values: write " + inner.name + " = ..."));
        };
        std::for_each(technique.tables.begin(), technique.tables.end(), report);
        std::for_each(technique.rows.begin(), technique.rows.end(), report);
    }
}

void check_top_tables(const Tree& root, Diagnostics& diagnostics) {
    const Section& top = schema().front();
    const auto check_stray = [&](const Tree& table) {
        const Key* key = find_key(top, table.name);
        diagnostics.push_back(key == nullptr ? unknown_table(table)
                                             : table_in_place_of_value(*key, top, table.location));
    };
    for (const Tree& table : root.tables) {
        if (table.name == kTechniques) {
            check_techniques(table, diagnostics);
        } else if (const Section* section = find_section(table.name)) {
            check_inside(*section, table, diagnostics);
        } else {
            check_stray(table);
        }
    }
    for (const Tree& row : root.rows) {
        if (is_table_name(row.name)) {
            diagnostics.push_back(list_in_place_of_table(
                row.name == kTechniques ? "technique.LABEL" : row.name, row.location));
        } else {
            check_stray(row);
        }
    }
}

// The only other section that has the key; null if none or several.
const Section* home_of(std::string_view key, const Section& section) {
    const Section* home = nullptr;
    for (const Section& other : schema()) {
        if (other.name != section.name && find_key(other, key) != nullptr) {
            if (home != nullptr) {
                return nullptr;
            }
            home = &other;
        }
    }
    return home;
}

Diagnostic misplaced(const std::string& key,
                     const Location& where,
                     const Section& section,
                     const Section& home) {
    return make_error("config/unknown-key",
                      "unknown key '" + key + "' in " + title_of(section),
                      where,
                      home.name.empty()
                          ? "it belongs to the top level: move it above the first table"
                          : "it belongs to " + title_of(home) + ": move it there");
}

bool is_label_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

}  // namespace

void check_structure(const Tree& root, Diagnostics& diagnostics) {
    for (const auto& [name, value] : root.values) {
        if (is_table_name(name)) {
            diagnostics.push_back(value_in_place_of_table(name, value.key));
        }
    }
    check_top_tables(root, diagnostics);
}

Parameters take_misplaced(const Parameters& values,
                          const Section& section,
                          Diagnostics& diagnostics) {
    Parameters own;
    for (const auto& [name, value] : values) {
        const bool is_top_table = section.name.empty() && is_table_name(name);
        const bool is_list = !list_in(section).empty() && name == list_in(section);
        if (find_key(section, name) != nullptr) {
            own.emplace(name, value);
        } else if (is_list) {
            diagnostics.push_back(list_wanted(section, ", found a value", value.key));
        } else if (const Section* home = is_top_table ? nullptr : home_of(name, section)) {
            diagnostics.push_back(misplaced(name, value.key, section, *home));
        } else if (!is_top_table) {
            own.emplace(name, value);  // unknown everywhere: validation says so
        }
    }
    return own;
}

std::optional<Diagnostic> check_label(const Tree& technique) {
    const std::string& label = technique.name;
    const bool well_formed = !label.empty() && label.size() <= kLongestLabel &&
                             label.front() != '.' &&
                             std::all_of(label.begin(), label.end(), is_label_character);
    if (well_formed && label != "baseline") {
        return std::nullopt;
    }
    return make_error("config/invalid-value",
                      well_formed
                          ? "the label 'baseline' is taken: it is the first row of the ledger"
                          : "'" + label + "' is no label of a technique",
                      technique.location,
                      "choose up to " + std::to_string(kLongestLabel) +
                          " of a-z A-Z 0-9 _ - . and name the technique with: use = \"...\"");
}

}  // namespace topress::config
