// Reading evidence files.
#include "order/evidence.hpp"

#include "base/error.hpp"
#include "order/toml_reader.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace topress::order {

namespace {

constexpr const char* kCode = "config/bad-evidence";
constexpr int kFewestSeeds = 2;  // one seed has no interval

/// Reads one file and collects everything that is wrong with it.
class Reader {
  public:
    explicit Reader(const std::filesystem::path& path)
        : toml_(path, {"evidence file", "row of evidence", "[order] evidence", kCode}) {}

    Evidence read(std::string default_name);

    [[nodiscard]] Diagnostics& findings() { return toml_.findings(); }

  private:
    void read_scope(const toml::table& document, Scope& scope);
    void read_pair(const toml::table& table, Evidence& evidence);
    void read_interval(const toml::table& table, PairMeasurement& pair);
    int read_seeds(const toml::table& table);
    void read_intensity(const toml::table& table, Evidence& evidence);
    [[nodiscard]] Provenance provenance(const toml::table& table, const std::string& name) const;
    std::string technique(const toml::table& table, const char* key);

    TomlReader toml_;
};

Provenance Reader::provenance(const toml::table& table, const std::string& name) const {
    const Location at = toml_.place(table.source());
    return {Origin::Evidence, name, at.file, at.line, at.column};
}

std::string Reader::technique(const toml::table& table, const char* key) {
    std::string id = toml_.text(table, key, true);
    if (is_trait(id)) {
        toml_
            .add(kCode,
                 "'" + id + "' is a trait, but techniques were measured",
                 table.get(key)->source())
            .hint = "write the id of the technique";
    }
    return id;
}

void Reader::read_scope(const toml::table& document, Scope& scope) {
    const toml::node* node = document.get("scope");
    const toml::table* table = node == nullptr ? nullptr : node->as_table();
    if (table == nullptr) {
        toml_
            .add(kCode,
                 "the table [scope] is missing: where was this measured?",
                 node == nullptr ? document.source() : node->source())
            .hint = "write [scope] with networks and datasets";
        return;
    }
    toml_.check_keys(*table, {"networks", "datasets", "budget"});
    scope.networks = toml_.texts(*table, "networks");
    scope.datasets = toml_.texts(*table, "datasets");
    scope.budget = toml_.text(*table, "budget", false);
}

void Reader::read_interval(const toml::table& table, PairMeasurement& pair) {
    const toml::node* node = table.get("interval");
    const toml::array* ends = node == nullptr ? nullptr : node->as_array();
    const auto end = [&](std::size_t i) {
        return ends != nullptr && ends->size() == 2 && (*ends)[i].is_number()
                   ? (*ends)[i].value<double>()
                   : std::nullopt;
    };
    const std::optional<double> low = end(0);
    const std::optional<double> high = end(1);
    // Written so that NaN is refused too. Differences are at most 1, their interval over two seeds
    // is up to 12.7 times as wide as they spread.
    constexpr double kWidest = 14;
    if (low && high && *low <= pair.difference && pair.difference <= *high && *low >= -kWidest &&
        *high <= kWidest) {
        pair.low = *low;
        pair.high = *high;
        return;
    }
    toml_
        .add(kCode,
             "'interval' must be [low, high] around the difference, accuracies as fractions",
             node == nullptr ? table.source() : node->source())
        .hint = "write for example: difference = 0.012, interval = [0.004, 0.020]";
}

int Reader::read_seeds(const toml::table& table) {
    const toml::node* node = table.get("seeds");
    const auto seeds = node == nullptr ? std::nullopt : node->value_exact<std::int64_t>();
    if (seeds && *seeds >= kFewestSeeds && *seeds <= 1000000) {
        return static_cast<int>(*seeds);
    }
    toml_
        .add(kCode,
             "'seeds' must be the number of repetitions, at least 2: one run has no interval",
             node == nullptr ? table.source() : node->source())
        .hint = "measure with more seeds: topress explore --seeds 3";
    return 0;
}

void Reader::read_pair(const toml::table& table, Evidence& evidence) {
    toml_.check_keys(table, {"before", "after", "difference", "interval", "seeds"});
    PairMeasurement pair;
    pair.where = provenance(table, evidence.name);
    pair.before = technique(table, "before");
    pair.after = technique(table, "after");
    if (pair.before == pair.after && !pair.before.empty()) {
        toml_.add(kCode, "'" + pair.before + "' cannot go before itself", table.source()).hint =
            "name two techniques";
    }
    if (const auto difference = toml_.number(table, "difference")) {
        pair.difference = *difference;
        read_interval(table, pair);
    }
    pair.seeds = read_seeds(table);
    evidence.pairs.push_back(std::move(pair));
}

void Reader::read_intensity(const toml::table& table, Evidence& evidence) {
    toml_.check_keys(table, {"technique", "bitops_ratio"});
    IntensityMeasurement intensity;
    intensity.where = provenance(table, evidence.name);
    intensity.technique = technique(table, "technique");
    if (const auto ratio = toml_.number(table, "bitops_ratio")) {
        intensity.bitops_ratio = *ratio;
        if (*ratio <= 0) {
            toml_.add(kCode, "'bitops_ratio' must be positive", table.get("bitops_ratio")->source())
                .hint = "it is the BitOps before the stage, divided by those after it";
        }
    }
    evidence.intensities.push_back(std::move(intensity));
}

Evidence Reader::read(std::string default_name) {
    const toml::table document = toml_.parse();
    toml_.check_keys(document, {"schema", "name", "summary", "scope", "pair", "intensity"});
    toml_.check_schema(document);
    Evidence evidence;
    evidence.name = toml_.text(document, "name", false);
    evidence.name = evidence.name.empty() ? std::move(default_name) : evidence.name;
    evidence.summary = toml_.text(document, "summary", false);
    read_scope(document, evidence.scope);
    for (const toml::table* table : toml_.rows(document, "pair", false)) {
        read_pair(*table, evidence);
    }
    for (const toml::table* table : toml_.rows(document, "intensity", false)) {
        read_intensity(*table, evidence);
    }
    return evidence;
}

bool share_a_name(const std::vector<std::string>& a, const std::vector<std::string>& b) {
    return a.empty() || std::any_of(a.begin(), a.end(), [&](const std::string& name) {
               return std::find(b.begin(), b.end(), name) != b.end();
           });
}

}  // namespace

bool covers(const Scope& measured, const Scope& run) {
    return share_a_name(measured.networks, run.networks) &&
           share_a_name(measured.datasets, run.datasets);
}

Evidence load_evidence(const std::filesystem::path& path) {
    Reader reader(path);
    Evidence evidence = reader.read(path.stem().string());
    if (!reader.findings().empty()) {
        throw DiagnosticError(std::move(reader.findings()));
    }
    return evidence;
}

}  // namespace topress::order
