// Rule sets from TOML: reading, checking and expanding chains.
#include "order/rules.hpp"

#include "base/error.hpp"
#include "base/suggest.hpp"
#include "order/rules_closure.hpp"
#include "order/toml_reader.hpp"

#include <algorithm>
#include <utility>

namespace topress::order {

namespace {

/// Two ends of a rule. Of a chain's entries a technique takes the last that it fits, so each end
/// also names the entries behind it.
struct Pair {
    std::string before;
    std::string after;
    std::vector<std::string> behind_before = {};
    std::vector<std::string> behind_after = {};
};

/// What one [[rule]] table says, before it is expanded.
struct Entry {
    std::vector<Pair> pairs;
    std::vector<std::string> among;
    std::string reason;
    std::string source;
    Provenance where;
};

/// Reads one file and collects everything that is wrong with it.
class Reader {
  public:
    explicit Reader(const std::filesystem::path& path)
        : toml_(path, {"rule file", "rule", "[order] rules", ""}) {}

    RuleSet read(std::string default_name);

    [[nodiscard]] Diagnostics& findings() { return toml_.findings(); }

  private:
    void read_rule(const toml::table& table, RuleSet& set);
    void read_ascending(const toml::table& table, Entry entry, RuleSet& set);
    void read_pairs(const toml::table& table, Entry& entry);
    void check_reference(const std::string& reference, const toml::source_region& at);
    std::vector<std::string> references(const toml::table& table, const char* key);

    TomlReader toml_;
};

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
        toml_.add("config/invalid-value", "'" + reference + "' is no technique id or trait", at);
    const auto near = nearest(reference, known_traits(), 0.6);
    finding.hint = near ? "did you mean '" + *near + "'?"
                        : "write kind:..., granularity:..., capability:... or a technique id";
}

std::vector<std::string> Reader::references(const toml::table& table, const char* key) {
    std::vector<std::string> values = toml_.texts(table, key);
    for (const std::string& value : values) {
        check_reference(value, table.get(key)->source());
    }
    return values;
}

std::vector<Pair> pairs_of(const std::vector<std::string>& chain) {
    std::vector<Pair> pairs;
    for (auto earlier = chain.begin(); earlier != chain.end(); ++earlier) {
        for (auto later = earlier + 1; later != chain.end(); ++later) {
            pairs.push_back(
                {*earlier, *later, {earlier + 1, chain.end()}, {later + 1, chain.end()}});
        }
    }
    return pairs;
}

void Reader::read_pairs(const toml::table& table, Entry& entry) {
    const std::vector<std::string> chain = references(table, "chain");
    const std::vector<std::string> before = references(table, "before");
    const std::vector<std::string> after = references(table, "after");
    entry.pairs = pairs_of(chain);
    for (const std::string& earlier : before) {
        for (const std::string& later : after) {
            entry.pairs.push_back({earlier, later});
        }
    }
    const bool is_chain = table.contains("chain");
    const bool is_pair = table.contains("before") && table.contains("after");
    const bool has_end = table.contains("before") || table.contains("after");
    if (is_chain ? has_end || chain.size() < 2 : !is_pair) {
        toml_
            .add("config/missing-key",
                 "a rule needs either 'before' and 'after', or a 'chain' of two or more, or "
                 "'ascending'",
                 table.source())
            .hint = "for example: before = \"kind:static\", after = \"kind:dynamic\"";
    }
}

void Reader::read_ascending(const toml::table& table, Entry entry, RuleSet& set) {
    const std::string figure = toml_.text(table, "ascending", false);
    if (!figure.empty() && figure != kIntensity) {
        toml_
            .add("config/invalid-value",
                 "'" + figure + "' is no figure that techniques can be ordered by",
                 table.get("ascending")->source())
            .hint = std::string("write: ascending = \"") + kIntensity + "\"";
    }
    for (const char* end : {"before", "after", "chain"}) {
        if (table.contains(end)) {
            toml_
                .add("config/invalid-value",
                     std::string("a rule with 'ascending' has no '") + end + "'",
                     table.get(end)->source())
                .hint = "write it as a [[rule]] of its own";
        }
    }
    set.ascending.push_back({std::move(entry.among),
                             std::move(entry.reason),
                             std::move(entry.source),
                             std::move(entry.where)});
}

void Reader::read_rule(const toml::table& table, RuleSet& set) {
    toml_.check_keys(table, {"before", "after", "chain", "ascending", "among", "reason", "source"});
    Entry entry;
    const Location at = toml_.place(table.source());
    entry.where = {Origin::RuleSet, set.name, at.file, at.line, at.column};
    entry.reason = toml_.text(table, "reason", true);
    entry.source = toml_.text(table, "source", false);
    entry.among = references(table, "among");
    if (table.contains("ascending")) {
        read_ascending(table, std::move(entry), set);
        return;
    }
    if (entry.among.empty()) {
        entry.among.emplace_back();
    }
    read_pairs(table, entry);
    for (const Pair& pair : entry.pairs) {
        if (pair.before == pair.after) {
            toml_
                .add("config/invalid-value",
                     "'" + pair.before + "' cannot go before itself",
                     table.source())
                .hint = "name two different traits";
        }
    }
    for (const std::string& among : entry.among) {
        for (const Pair& pair : entry.pairs) {
            set.rules.push_back({pair.before,
                                 pair.after,
                                 among,
                                 entry.reason,
                                 entry.source,
                                 entry.where,
                                 pair.behind_before,
                                 pair.behind_after});
        }
    }
}

RuleSet Reader::read(std::string default_name) {
    const toml::table document = toml_.parse();
    toml_.check_keys(document, {"schema", "name", "summary", "rule"});
    toml_.check_schema(document);
    RuleSet set;
    set.name = toml_.text(document, "name", false);
    set.name = set.name.empty() ? std::move(default_name) : set.name;
    set.summary = toml_.text(document, "summary", false);
    for (const toml::table* table : toml_.rows(document, "rule", true)) {
        read_rule(*table, set);
    }
    return set;
}

}  // namespace

void set_precedence(RuleSet& set, int precedence) {
    for (Rule& rule : set.rules) {
        rule.where.precedence = precedence;
    }
    for (AscendingRule& rule : set.ascending) {
        rule.where.precedence = precedence;
    }
}

RuleSet load_rules(const std::filesystem::path& path) {
    Reader reader(path);
    RuleSet set = reader.read(path.stem().string());
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
