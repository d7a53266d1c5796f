// Reading one TOML file of the ordering; see toml_reader.hpp.
#include "order/toml_reader.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/suggest.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

namespace topress::order {

namespace {

constexpr std::int64_t kSchema = 1;
constexpr std::size_t kLargestFile = std::size_t{1} << 20;

std::string with_article(const std::string& noun) {
    return (noun.starts_with('e') ? "an " : "a ") + noun;
}

[[noreturn]] void fail(Diagnostic finding) {
    throw DiagnosticError({std::move(finding)});
}

}  // namespace

TomlReader::TomlReader(const std::filesystem::path& path, TomlKind kind)
    : file_(path.string()), kind_(std::move(kind)) {}

std::string TomlReader::code_or(const char* code) const {
    return kind_.code.empty() ? code : kind_.code;
}

Location TomlReader::place(const toml::source_region& at) const {
    return {file_, static_cast<int>(at.begin.line), static_cast<int>(at.begin.column), 0};
}

Diagnostic& TomlReader::add(const char* code, std::string message, const toml::source_region& at) {
    Diagnostic finding;
    finding.code = code_or(code);
    finding.message = std::move(message);
    finding.location = place(at);
    findings_.push_back(std::move(finding));
    return findings_.back();
}

toml::table TomlReader::parse() const {
    Diagnostic finding;
    std::string text;
    try {
        text = read_file(file_, kLargestFile);
    } catch (const Error& error) {
        finding.code = code_or("config/cannot-read");
        finding.message =
            "the " + kind_.file + " '" + file_ + "' cannot be read: " + std::string(error.what());
        finding.hint = "check the name under " + kind_.setting;
        fail(std::move(finding));
    }
    try {
        return toml::parse(std::string_view(text), std::string_view(file_));
    } catch (const toml::parse_error& error) {
        finding.code = code_or("config/syntax");
        finding.message = std::string(error.description());
        finding.location = place(error.source());
        finding.hint = "correct the TOML at this place";
        fail(std::move(finding));
    }
}

void TomlReader::check_keys(const toml::table& table, const std::vector<std::string>& allowed) {
    for (const auto& [key, value] : table) {
        const std::string name(key.str());
        if (std::find(allowed.begin(), allowed.end(), name) != allowed.end()) {
            continue;
        }
        std::string hint = "valid keys:";
        for (const std::string& each : allowed) {
            hint += " " + each;
        }
        if (const auto near = nearest(name, allowed)) {
            hint = "did you mean '" + *near + "'? " + hint;
        }
        add("config/unknown-key",
            "unknown key '" + name + "' in " + with_article(kind_.file),
            key.source())
            .hint = hint;
    }
}

void TomlReader::check_schema(const toml::table& document) {
    const toml::node* node = document.get("schema");
    if (node == nullptr) {
        add("config/missing-key", "the key 'schema' is missing", document.source()).hint =
            "begin the file with: schema = 1";
        return;
    }
    if (node->value_exact<std::int64_t>() != kSchema) {
        add("config/unsupported-schema",
            "the " + kind_.file + " has a schema other than 1",
            node->source())
            .hint = "write: schema = 1";
    }
}

void TomlReader::report_missing(const toml::table& table,
                                const std::string& key,
                                const char* example) {
    add("config/missing-key", "the key '" + key + "' is missing in a " + kind_.row, table.source())
        .hint = "add: " + key + " = " + example;
}

std::string TomlReader::text(const toml::table& table, const char* key, bool required) {
    const toml::node* node = table.get(key);
    if (node == nullptr) {
        if (required) {
            report_missing(table, key, "\"...\"");
        }
        return {};
    }
    if (const auto value = node->value_exact<std::string>()) {
        return *value;
    }
    add("config/wrong-type", std::string("'") + key + "' must be a string", node->source()).hint =
        "put the value in quotes";
    return {};
}

std::vector<std::string> TomlReader::texts(const toml::table& table, const char* key) {
    const toml::node* node = table.get(key);
    const toml::array* array = node == nullptr ? nullptr : node->as_array();
    if (array == nullptr) {
        const std::string one = text(table, key, false);
        return one.empty() ? std::vector<std::string>{} : std::vector<std::string>{one};
    }
    std::vector<std::string> values;
    for (const toml::node& element : *array) {
        if (const auto value = element.value_exact<std::string>()) {
            values.push_back(*value);
        } else {
            add("config/wrong-type",
                std::string("'") + key + "' must hold strings only",
                element.source())
                .hint = "put the value in quotes";
        }
    }
    return values;
}

std::optional<double> TomlReader::number(const toml::table& table, const char* key) {
    const toml::node* node = table.get(key);
    if (node == nullptr) {
        report_missing(table, key, "a number");
        return std::nullopt;
    }
    const auto value = node->is_number() ? node->value<double>() : std::nullopt;
    if (!value || !std::isfinite(*value)) {
        add("config/wrong-type",
            std::string("'") + key + "' must be a finite number",
            node->source())
            .hint = std::string("write for example: ") + key + " = 0.5";
        return std::nullopt;
    }
    return value;
}

std::vector<const toml::table*> TomlReader::rows(const toml::table& document,
                                                 const char* key,
                                                 bool required) {
    const toml::node* node = document.get(key);
    const toml::array* array = node == nullptr ? nullptr : node->as_array();
    const std::string brackets = std::string("[[") + key + "]]";
    std::vector<const toml::table*> tables;
    if (array == nullptr && node != nullptr) {
        add("config/wrong-type",
            std::string("'") + key + "' must be a list of tables",
            node->source())
            .hint = "write " + brackets;
    } else if (array == nullptr || array->empty()) {
        if (required) {
            add("config/missing-key",
                with_article(kind_.file) + " needs at least one " + brackets,
                document.source())
                .hint = "add a " + brackets;
        }
    } else {
        for (const toml::node& element : *array) {
            if (const toml::table* table = element.as_table()) {
                tables.push_back(table);
            } else {
                add("config/wrong-type",
                    std::string("'") + key + "' must hold tables",
                    element.source())
                    .hint = "write " + brackets;
            }
        }
    }
    return tables;
}

}  // namespace topress::order
