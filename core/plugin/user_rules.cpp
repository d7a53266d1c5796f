// The user's configuration is read like any other: typed keys, every mistake with its place.
#include "plugin/user_rules.hpp"

#include "base/files.hpp"
#include "config/parameter.hpp"
#include "config/tree.hpp"
#include "plugin/metadata_schema.hpp"
#include "plugin/sha256.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace topress::plugin {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestFileBytes = std::size_t{1} << 20;
constexpr std::string_view kHashPrefix = "sha256:";
constexpr std::size_t kHashDigits = 64;
constexpr const char* kForms =
    "a plugin id such as \"org.example.scaling\", or \"sha256:\" and 64 "
    "hexadecimal digits, as sha256sum prints them";

const std::vector<config::ParameterSpec>& head_keys() {
    static const std::vector<config::ParameterSpec> kKeys = {
        {"schema", config::ParameterType::Integer, {}, 1, 1, {}, {}, "Version of this form."}};
    return kKeys;
}

const std::vector<config::ParameterSpec>& rule_keys() {
    const config::ParameterValue none = std::vector<std::string>();
    static const std::vector<config::ParameterSpec> kKeys = {
        {"allow",
         config::ParameterType::StringList,
         none,
         {},
         {},
         {},
         {},
         "If not empty, only these plugins are used besides the bundled ones."},
        {"deny",
         config::ParameterType::StringList,
         none,
         {},
         {},
         {},
         {},
         "These plugins are never used."}};
    return kKeys;
}

Diagnostic mistake(std::string code, std::string message, Location where, std::string hint) {
    Diagnostic diagnostic;
    diagnostic.code = std::move(code);
    diagnostic.message = std::move(message);
    diagnostic.location = std::move(where);
    diagnostic.hint = std::move(hint);
    return diagnostic;
}

bool is_hexadecimal(std::string_view text) {
    return text.size() == kHashDigits &&
           text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

std::string lower_case(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](char c) {
        return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return text;
}

std::optional<PluginRule> parse_rule(const std::string& text, const Location& where) {
    if (text.starts_with(kHashPrefix) &&
        is_hexadecimal(std::string_view(text).substr(kHashPrefix.size()))) {
        return PluginRule{{}, lower_case(text.substr(kHashPrefix.size())), where};
    }
    if (is_identifier(text, 2)) {
        return PluginRule{text, {}, where};
    }
    return std::nullopt;
}

std::vector<PluginRule> parse_list(const config::Parameters& values,
                                   const char* key,
                                   Diagnostics& diagnostics) {
    std::vector<PluginRule> rules;
    const config::GivenParameter& given = values.at(key);
    const auto* list = std::get_if<std::vector<std::string>>(&given.value);
    if (list == nullptr) {
        return rules;  // an empty list counts as one of integers
    }
    for (const std::string& text : *list) {
        if (auto rule = parse_rule(text, given.where)) {
            rules.push_back(std::move(*rule));
        } else {
            diagnostics.push_back(mistake(
                "config/invalid-value",
                "'" + text + "' in plugins." + key + " names no plugin",
                given.where,
                is_hexadecimal(text) ? "write sha256:" + text : std::string("write ") + kForms));
        }
    }
    return rules;
}

void check_tables(const config::Tree& tree, Diagnostics& diagnostics) {
    const auto report = [&](const config::Tree& table, const char* hint) {
        diagnostics.push_back(
            mistake("config/unknown-key",
                    "unknown table '" + table.name + "' in the user configuration",
                    table.location,
                    hint));
    };
    for (const config::Tree& table : tree.tables) {
        if (table.name != "plugins") {
            report(table, "there is only [plugins]");
        }
        for (const config::Tree& inner : table.tables) {
            report(inner, "[plugins] holds only the keys allow and deny");
        }
    }
    for (const config::Tree& row : tree.rows) {
        report(row, "there is only [plugins], with single brackets");
    }
}

void append(Diagnostics& to, Diagnostics from) {
    std::move(from.begin(), from.end(), std::back_inserter(to));
}

const PluginRule* find_rule(const std::vector<PluginRule>& rules,
                            const std::string& id,
                            const std::string& sha256) {
    const auto found = std::find_if(rules.begin(), rules.end(), [&](const PluginRule& rule) {
        return rule.id.empty() ? rule.sha256 == sha256 : rule.id == id;
    });
    return found == rules.end() ? nullptr : &*found;
}

std::string place_of(const PluginRule& rule) {
    return rule.where.file + ":" + std::to_string(rule.where.line);
}

bool names_a_file(const std::vector<PluginRule>& rules) {
    return std::any_of(
        rules.begin(), rules.end(), [](const PluginRule& rule) { return rule.id.empty(); });
}

}  // namespace

PluginRules parse_user_rules(std::string_view text,
                             const std::string& file,
                             Diagnostics& diagnostics) {
    PluginRules rules;
    rules.file = file;
    Diagnostics found;
    const config::Tree tree = config::read_tree(text, file, found);
    if (has_errors(found)) {
        append(diagnostics, std::move(found));
        return rules;
    }
    check_tables(tree, found);
    append(found,
           config::validate_parameters(
               tree.values, head_keys(), "the user configuration", Location{file, 1, 1, 0}));
    if (const config::Tree* table = config::find_table(tree, "plugins")) {
        Diagnostics wrong =
            config::validate_parameters(table->values, rule_keys(), "[plugins]", table->location);
        const bool is_readable = wrong.empty();
        append(found, std::move(wrong));
        if (is_readable) {
            const config::Parameters values = config::fill_defaults(table->values, rule_keys());
            rules.allow = parse_list(values, "allow", found);
            rules.deny = parse_list(values, "deny", found);
        }
    }
    append(diagnostics, std::move(found));
    return rules;
}

PluginRules load_user_rules(const fs::path& file, TrustChecker& trust, Diagnostics& diagnostics) {
    std::error_code error;
    if (file.empty() || fs::symlink_status(file, error).type() == fs::file_type::not_found) {
        return {};
    }
    const Location where{file.string(), 0, 0, 0};
    if (const auto refusal = trust.check_file(file).refusal) {
        Diagnostic untrusted = to_diagnostic(*refusal, file.string());
        untrusted.code = "config/untrusted";
        untrusted.message = "the user configuration decides about plugins, but " + refusal->message;
        diagnostics.push_back(std::move(untrusted));
        return {};
    }
    try {
        return parse_user_rules(read_file(file, kLargestFileBytes), file.string(), diagnostics);
    } catch (const Error& failure) {
        diagnostics.push_back(mistake("config/cannot-read", failure.what(), where, failure.hint()));
        return {};
    }
}

std::optional<Refusal> check_rules(const PluginRules& rules,
                                   const std::string& plugin_id,
                                   const fs::path& file,
                                   bool is_bundled) {
    const bool asks_for_hash =
        names_a_file(rules.deny) || (!is_bundled && names_a_file(rules.allow));
    const std::string sha256 = asks_for_hash ? sha256_of_file(file) : std::string();
    if (const PluginRule* rule = find_rule(rules.deny, plugin_id, sha256)) {
        return Refusal{"plugin/denied",
                       "the user configuration denies the plugin",
                       rule->id.empty() ? std::string("sha256:") + sha256 : "'" + plugin_id + "'",
                       "a plugin that plugins.deny does not name",
                       "plugins.deny at " + place_of(*rule),
                       "take it out of plugins.deny if it is to be used"};
    }
    if (is_bundled || rules.allow.empty() || find_rule(rules.allow, plugin_id, sha256) != nullptr) {
        return std::nullopt;
    }
    return Refusal{"plugin/not-allowed",
                   "the user configuration does not allow the plugin",
                   "'" + plugin_id + "'",
                   "a bundled plugin, or one that plugins.allow names",
                   "plugins.allow at " + place_of(rules.allow.front()),
                   "add \"" + plugin_id + "\" to plugins.allow"};
}

}  // namespace topress::plugin
