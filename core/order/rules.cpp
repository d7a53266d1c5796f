// Rule sets from TOML: reading, checking, chains, and what follows from rules over one trait.
#include "order/rules.hpp"

#include "base/diagnostic.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/suggest.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace topress::order {

namespace {

constexpr std::int64_t kSchema = 1;
constexpr std::size_t kLargestFile = std::size_t{1} << 20;

/// What one [[rule]] table says, before chains are expanded.
struct Entry {
    std::vector<std::pair<std::string, std::string>> pairs;
    std::vector<std::string> among;
    std::string reason;
    std::string source;
    Provenance where;
};

/// Reads one file and collects everything that is wrong with it.
class Reader {
  public:
    Reader(std::string file, Origin origin) : file_(std::move(file)), origin_(origin) {}

    RuleSet read(const toml::table& document, std::string default_name);

    [[nodiscard]] Diagnostics& findings() { return findings_; }

  private:
    void read_rules(const toml::table& document, RuleSet& set);
    void read_rule(const toml::table& table, RuleSet& set);
    void read_pairs(const toml::table& table, Entry& entry);
    void add_rules(const Entry& entry, RuleSet& set);
    void check_schema(const toml::table& document);
    void check_keys(const toml::table& table, const std::vector<std::string>& allowed);
    void check_reference(const std::string& reference, const toml::source_region& at);
    std::string text(const toml::table& table, const char* key, bool required);
    std::vector<std::string> texts(const toml::table& table, const char* key);
    std::vector<std::string> references(const toml::table& table, const char* key);

    Diagnostic& add(const char* code, std::string message, const toml::source_region& at);
    [[nodiscard]] Provenance provenance(const toml::source_region& at) const;

    std::string file_;
    Origin origin_;
    std::string name_;
    Diagnostics findings_;
};

Location location_of(const std::string& file, const toml::source_region& at) {
    return {file, static_cast<int>(at.begin.line), static_cast<int>(at.begin.column), 0};
}

Diagnostic& Reader::add(const char* code, std::string message, const toml::source_region& at) {
    Diagnostic finding;
    finding.code = code;
    finding.message = std::move(message);
    finding.location = location_of(file_, at);
    findings_.push_back(std::move(finding));
    return findings_.back();
}

Provenance Reader::provenance(const toml::source_region& at) const {
    const Location place = location_of(file_, at);
    return {origin_, name_, place.file, place.line, place.column};
}

void Reader::check_keys(const toml::table& table, const std::vector<std::string>& allowed) {
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
        add("config/unknown-key", "unknown key '" + name + "' in a rule file", key.source()).hint =
            hint;
    }
}

void Reader::check_schema(const toml::table& document) {
    const toml::node* node = document.get("schema");
    if (node == nullptr) {
        add("config/missing-key", "the key 'schema' is missing", document.source()).hint =
            "begin the file with: schema = 1";
        return;
    }
    if (node->value_exact<std::int64_t>() != kSchema) {
        add("config/unsupported-schema", "the rule file has a schema other than 1", node->source())
            .hint = "write: schema = 1";
    }
}

std::string Reader::text(const toml::table& table, const char* key, bool required) {
    const toml::node* node = table.get(key);
    if (node == nullptr) {
        if (required) {
            add("config/missing-key",
                "the key '" + std::string(key) + "' is missing in a rule",
                table.source())
                .hint = "add: " + std::string(key) + " = \"...\"";
        }
        return {};
    }
    if (const auto value = node->value_exact<std::string>()) {
        return *value;
    }
    add("config/wrong-type", "'" + std::string(key) + "' must be a string", node->source()).hint =
        "put the value in quotes";
    return {};
}

std::vector<std::string> Reader::texts(const toml::table& table, const char* key) {
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

void Reader::check_reference(const std::string& reference, const toml::source_region& at) {
    const auto colon = reference.find(':');
    if (colon == std::string::npos && !reference.empty()) {
        return;  // an id; whether it is installed is asked when an order is derived
    }
    const bool value_given = colon != std::string::npos && colon + 1 < reference.size();
    const bool known_kind = reference.rfind("kind:", 0) != 0 || reference == "kind:static" ||
                            reference == "kind:dynamic";
    if (is_trait(reference) && value_given && known_kind) {
        return;
    }
    Diagnostic& finding =
        add("config/invalid-value", "'" + reference + "' is no technique id or trait", at);
    const auto near = nearest(reference, known_traits(), 0.6);
    finding.hint = near ? "did you mean '" + *near + "'?"
                        : "write kind:..., granularity:..., capability:... or a technique id";
}

std::vector<std::string> Reader::references(const toml::table& table, const char* key) {
    std::vector<std::string> values = texts(table, key);
    for (const std::string& value : values) {
        check_reference(value, table.get(key)->source());
    }
    return values;
}

void Reader::read_pairs(const toml::table& table, Entry& entry) {
    const std::vector<std::string> chain = references(table, "chain");
    const std::vector<std::string> before = references(table, "before");
    const std::vector<std::string> after = references(table, "after");
    for (std::size_t i = 0; i < chain.size(); ++i) {
        for (std::size_t j = i + 1; j < chain.size(); ++j) {
            entry.pairs.emplace_back(chain[i], chain[j]);
        }
    }
    for (const std::string& earlier : before) {
        for (const std::string& later : after) {
            entry.pairs.emplace_back(earlier, later);
        }
    }
    const bool is_chain = table.contains("chain");
    const bool is_pair = table.contains("before") && table.contains("after");
    const bool has_end = table.contains("before") || table.contains("after");
    if (is_chain ? has_end || chain.size() < 2 : !is_pair) {
        add("config/missing-key",
            "a rule needs either 'before' and 'after', or a 'chain' of two or more",
            table.source())
            .hint = "for example: before = \"kind:static\", after = \"kind:dynamic\"";
    }
}

void Reader::read_rule(const toml::table& table, RuleSet& set) {
    check_keys(table, {"before", "after", "chain", "among", "reason", "source"});
    Entry entry;
    entry.where = provenance(table.source());
    entry.reason = text(table, "reason", true);
    entry.source = text(table, "source", false);
    entry.among = references(table, "among");
    if (entry.among.empty()) {
        entry.among.emplace_back();
    }
    read_pairs(table, entry);
    for (const auto& [before, after] : entry.pairs) {
        if (before == after) {
            add("config/invalid-value", "'" + before + "' cannot go before itself", table.source())
                .hint = "name two different traits";
        }
    }
    add_rules(entry, set);
}

void Reader::add_rules(const Entry& entry, RuleSet& set) {
    for (const std::string& among : entry.among) {
        for (const auto& [before, after] : entry.pairs) {
            set.rules.push_back({before, after, among, entry.reason, entry.source, entry.where});
        }
    }
}

void Reader::read_rules(const toml::table& document, RuleSet& set) {
    const toml::node* node = document.get("rule");
    const toml::array* array = node == nullptr ? nullptr : node->as_array();
    if (array == nullptr || array->empty()) {
        add("config/missing-key", "a rule file needs at least one [[rule]]", document.source())
            .hint = "add a [[rule]] with before, after and reason";
        return;
    }
    for (const toml::node& element : *array) {
        if (const toml::table* table = element.as_table()) {
            read_rule(*table, set);
        } else {
            add("config/wrong-type", "'rule' must hold tables", element.source()).hint =
                "write [[rule]]";
        }
    }
}

RuleSet Reader::read(const toml::table& document, std::string default_name) {
    check_keys(document, {"schema", "name", "summary", "rule"});
    check_schema(document);
    RuleSet set;
    set.name = text(document, "name", false);
    set.name = set.name.empty() ? std::move(default_name) : set.name;
    set.summary = text(document, "summary", false);
    name_ = set.name;
    read_rules(document, set);
    return set;
}

/// "kind", "granularity", "capability", or empty for an id.
std::string_view dimension(const std::string& reference) {
    const auto colon = reference.find(':');
    return colon == std::string::npos ? std::string_view{}
                                      : std::string_view(reference).substr(0, colon);
}

bool composes(const Rule& first, const Rule& second) {
    return first.after == second.before && first.among == second.among &&
           dimension(first.before) == dimension(first.after) &&
           dimension(second.before) == dimension(second.after);
}

std::string joined(const std::string& a, const std::string& b) {
    return a == b || b.empty() ? a : a.empty() ? b : a + "; " + b;
}

Rule compose(const Rule& first, const Rule& second) {
    return {first.before,
            second.after,
            first.among,
            joined(first.reason, second.reason),
            joined(first.source, second.source),
            first.where};
}

bool has_rule(const std::vector<Rule>& rules, const Rule& rule) {
    return std::any_of(rules.begin(), rules.end(), [&](const Rule& other) {
        return other.before == rule.before && other.after == rule.after &&
               other.among == rule.among;
    });
}

Diagnostic contradiction(const Rule& first, const Rule& second) {
    Diagnostic finding;
    finding.code = "config/contradictory-rules";
    finding.message =
        "the rules put '" + first.before + "' before '" + first.after + "' and the other way round";
    finding.location = to_location(first.where);
    finding.notes.push_back({"the opposite follows from here", to_location(second.where)});
    finding.hint = "remove one of them, or limit each with 'among'";
    return finding;
}

/// Adds what follows: rules over one dimension are transitive, so that "a before b" and "b before
/// c" place a and c also where no technique has the trait b. Returns the first contradiction.
std::optional<Diagnostic> close_transitively(std::vector<Rule>& rules) {
    for (std::size_t i = 0; i < rules.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            const bool forward = composes(rules[i], rules[j]);
            if (!forward && !composes(rules[j], rules[i])) {
                continue;
            }
            Rule rule = forward ? compose(rules[i], rules[j]) : compose(rules[j], rules[i]);
            if (rule.before == rule.after) {
                return contradiction(rules[j], rules[i]);
            }
            if (!has_rule(rules, rule)) {
                rules.push_back(std::move(rule));
            }
        }
    }
    return std::nullopt;
}

[[noreturn]] void fail(Diagnostic finding) {
    throw DiagnosticError({std::move(finding)});
}

std::string read_text(const std::filesystem::path& path) {
    try {
        return read_file(path, kLargestFile);
    } catch (const Error& error) {
        Diagnostic finding;
        finding.code = "config/cannot-read";
        finding.message = "the rule file '" + path.string() + "' cannot be read: " + error.what();
        finding.hint = "check the name under [order] rules";
        fail(std::move(finding));
    }
}

toml::table parse(const std::string& text, const std::string& file) {
    try {
        return toml::parse(std::string_view(text), std::string_view(file));
    } catch (const toml::parse_error& error) {
        Diagnostic finding;
        finding.code = "config/syntax";
        finding.message = std::string(error.description());
        finding.location = location_of(file, error.source());
        finding.hint = "correct the TOML at this place";
        fail(std::move(finding));
    }
}

}  // namespace

RuleSet load_rules(const std::filesystem::path& path, Origin origin) {
    const std::string text = read_text(path);
    const toml::table document = parse(text, path.string());
    Reader reader(path.string(), origin);
    RuleSet set = reader.read(document, path.stem().string());
    if (reader.findings().empty()) {
        if (auto finding = close_transitively(set.rules)) {
            reader.findings().push_back(std::move(*finding));
        }
    }
    if (!reader.findings().empty()) {
        throw DiagnosticError(std::move(reader.findings()));
    }
    return set;
}

}  // namespace topress::order
