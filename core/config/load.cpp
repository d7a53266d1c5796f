// The spine of reading a configuration: text -> tree -> checked sections -> RunConfig.
#include "config/load.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "config/paths.hpp"
#include "config/schema.hpp"
#include "config/structure.hpp"
#include "config/tree.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

namespace topress::config {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestFileBytes = std::size_t{16} << 20;

Diagnostic make_error(std::string code, std::string message, Location where, std::string hint) {
    Diagnostic diagnostic;
    diagnostic.code = std::move(code);
    diagnostic.message = std::move(message);
    diagnostic.location = std::move(where);
    diagnostic.hint = std::move(hint);
    return diagnostic;
}

// ---- schema version -----------------------------------------------------------------------------

// A file of another version has other keys: nothing further is worth reporting.
std::optional<Diagnostic> check_schema_version(const Tree& tree) {
    const auto given = tree.values.find("schema");
    if (given == tree.values.end()) {
        return std::nullopt;  // reported as a missing key, with all the rest
    }
    const auto* version = std::get_if<std::int64_t>(&given->second.value);
    if (version == nullptr || *version == kSchemaVersion) {
        return std::nullopt;
    }
    return make_error("config/unsupported-schema",
                      "schema " + std::to_string(*version) + " is not supported, only schema " +
                          std::to_string(kSchemaVersion),
                      given->second.where,
                      "use a topress that reads this schema, or port the file and write schema = " +
                          std::to_string(kSchemaVersion));
}

// ---- sections -----------------------------------------------------------------------------------

bool is_word(const std::string& text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return (std::isalnum(c) != 0) || c == '-' || c == '_';
    });
}

class Loader {
  public:
    Loader(const Tree& root, const fs::path& path, const LoadOptions& options, LoadResult& result)
        : root_(root),
          folder_(path.parent_path()),
          options_(options),
          config_(result.config),
          diagnostics_(result.diagnostics) {}

    void run() {
        check_structure(root_, diagnostics_);
        for (const Section& section : schema()) {
            load_section(section);
        }
        load_list("order", "edge", [this](const Tree& row) { load_edge(row); });
        load_list("explore", "setting", [this](const Tree& row) { load_setting(row); });
        load_techniques();
        check_combinations();
        fill_dependent_defaults();
    }

  private:
    void append(Diagnostics found) {
        std::move(found.begin(), found.end(), std::back_inserter(diagnostics_));
    }

    [[nodiscard]] bool is_given(const std::string& dotted) const {
        return config_.origins.contains(dotted);
    }

    [[nodiscard]] fs::path folder_for(const Location& where) const {
        return is_override(where) ? fs::path() : folder_;
    }

    void load_section(const Section& section) {
        const Tree* table = section.name.empty() ? &root_ : find_table(root_, section.name);
        const Tree absent{section.name, root_.location, {}, {}, {}};
        const Tree& source = table == nullptr ? absent : *table;
        const Parameters own = take_misplaced(source.values, section, diagnostics_);
        const auto specs = specs_of(section, options_.architectures);
        Diagnostics found = validate_parameters(own, specs, title_of(section), source.location);
        if (!found.empty()) {
            broken_.insert(section.name);
            append(std::move(found));
            return;
        }
        const Parameters values = fill_defaults(own, specs);
        for (const Key& key : section.keys) {
            store(section, key, values);
        }
    }

    void store(const Section& section, const Key& key, const Parameters& values) {
        const auto given = values.find(key.spec.name);
        if (given == values.end()) {
            return;
        }
        const Location& where = given->second.where;
        ParameterValue value = given->second.value;
        if (key.path != PathKind::None) {
            anchor(value, key.path, folder_for(where));
        }
        key.set(config_, value);
        if (!where.file.empty()) {
            const std::string prefix = section.name.empty() ? "" : section.name + ".";
            config_.origins[prefix + key.spec.name] = where;
        }
    }

    template <typename LoadRow>
    void load_list(std::string_view section, std::string_view list, const LoadRow& load_row) {
        const Tree* table = find_table(root_, section);
        if (table == nullptr) {
            return;
        }
        for (const Tree& row : table->rows) {
            if (row.name == list) {
                load_row(row);
            }
        }
    }

    void load_setting(const Tree& row) {
        Diagnostics found =
            validate_parameters(row.values, setting_specs(), "[[explore.setting]]", row.location);
        if (!found.empty()) {
            append(std::move(found));
            return;
        }
        const Parameters values = fill_defaults(row.values, setting_specs());
        ExploreSetting setting{std::get<std::string>(values.at("name").value),
                               std::get<std::vector<std::string>>(values.at("set").value),
                               row.location};
        const auto& known = config_.explore.settings;
        const bool is_taken = std::any_of(known.begin(), known.end(), [&](const auto& other) {
            return other.name == setting.name;
        });
        if (is_taken || !is_word(setting.name)) {
            diagnostics_.push_back(make_error(
                "config/invalid-value",
                is_taken ? "two settings are named '" + setting.name + "'"
                         : "'" + setting.name + "' is no name of a setting: it names a folder",
                values.at("name").where,
                "choose another one of letters, digits, - and _"));
            return;
        }
        config_.explore.settings.push_back(std::move(setting));
    }

    void load_edge(const Tree& row) {
        Diagnostics found =
            validate_parameters(row.values, edge_specs(), "[[order.edge]]", row.location);
        if (!found.empty()) {
            append(std::move(found));
            return;
        }
        const Parameters values = fill_defaults(row.values, edge_specs());
        const auto text = [&](const char* key) {
            return std::get<std::string>(values.at(key).value);
        };
        config_.order.edges.push_back(
            {text("before"), text("after"), text("strength"), text("reason"), row.location});
    }

    void load_techniques() {
        const Tree* techniques = find_table(root_, "technique");
        if (techniques == nullptr) {
            return;
        }
        for (const Tree& table : techniques->tables) {
            load_technique(table);
        }
    }

    void load_technique(const Tree& table) {
        if (auto wrong = check_label(table)) {
            diagnostics_.push_back(std::move(*wrong));
            return;
        }
        TechniqueEntry entry{
            table.name, table.name, table.location, table.location, table.values, {}, {}};
        const Parameters own = take_host_keys(entry.parameters);
        Diagnostics found = validate_parameters(
            own, technique_specs(), "[technique." + entry.label + "]", table.location);
        if (found.empty()) {
            store_host_keys(entry, own);
        }
        append(std::move(found));
        config_.techniques.push_back(std::move(entry));
    }

    // The keys of the host, taken out of those of a technique.
    static Parameters take_host_keys(Parameters& given) {
        Parameters own;
        for (const ParameterSpec& spec : technique_specs()) {
            if (auto key = given.extract(spec.name)) {
                own.insert(std::move(key));
            }
        }
        return own;
    }

    void store_host_keys(TechniqueEntry& entry, const Parameters& own) {
        for (const auto& [name, given] : fill_defaults(own, technique_specs())) {
            if (name == "use") {
                entry.use = std::get<std::string>(given.value);
                entry.use_location = given.where;
            } else if (name == "isolation") {
                entry.isolation.mode = std::get<std::string>(given.value);
            } else if (name == "timeout_s") {
                entry.isolation.timeout_s = std::get<double>(given.value);
            } else if (name == "intensity") {
                entry.intensity = std::get<double>(given.value);
            } else {
                entry.isolation.memory_limit_mb =
                    static_cast<int>(std::get<std::int64_t>(given.value));
            }
        }
        const IsolationConfig& isolation = entry.isolation;
        if (isolation.mode == "in-process" &&
            (isolation.timeout_s > 0 || isolation.memory_limit_mb > 0)) {
            diagnostics_.push_back(
                make_error("config/invalid-value",
                           "[technique." + entry.label +
                               "] sets a limit on time or memory, which 'in-process' cannot keep",
                           own.at("isolation").where,
                           "write isolation = \"process\", or leave the limit out"));
        }
    }

    // What one key asks of another; only worth saying where each alone is right.
    void check_combinations() {
        const bool has_network =
            !config_.model.architecture.empty() || !config_.model.checkpoint.empty();
        if (!has_network && !broken_.contains("model")) {
            report_missing_network();
        }
        if (config_.data.dataset == "image-folder" && config_.data.path.empty()) {
            report_missing_images();
        }
        if (config_.data.dataset == "rotated-fashion-mnist" && config_.data.flip == true) {
            report_wrong_flip();
        }
    }

    void report_missing_network() {
        const Tree* model = find_table(root_, "model");
        diagnostics_.push_back(make_error("config/missing-key",
                                          "[model] lacks the key 'architecture' (or 'checkpoint')",
                                          model == nullptr ? root_.location : model->location,
                                          "add for example: architecture = \"" +
                                              options_.architectures.front() +
                                              "\", or checkpoint = \"network.safetensors\""));
    }

    void report_missing_images() {
        diagnostics_.push_back(
            make_error("config/missing-key",
                       "[data] lacks the key 'path', which the data set 'image-folder' needs",
                       config_.origins.at("data.dataset"),
                       "add for example: path = \"images\""));
    }

    void report_wrong_flip() {
        diagnostics_.push_back(make_error(
            "config/invalid-value",
            "'flip' in [data] is true, but a mirrored picture was turned the other way round",
            config_.origins.at("data.flip"),
            "write flip = false, or leave it out"));
    }

    void fill_dependent_defaults() {
        fill_augmentation();
        if (!is_given("baseline.epochs") && !config_.model.checkpoint.empty()) {
            config_.baseline.epochs = 0;
        }
    }

    // In an image-folder the files tell the task. A mirrored digit is no digit.
    void fill_augmentation() {
        DataConfig& data = config_.data;
        const std::set<std::string> upright = {"mnist", "svhn", "rotated-fashion-mnist"};
        if (data.dataset != "image-folder") {
            data.crop_padding =
                data.crop_padding.value_or(data.dataset.starts_with("cifar") ? 4 : 2);
            data.flip = data.flip.value_or(!upright.contains(data.dataset));
        }
    }

    const Tree& root_;
    fs::path folder_;
    const LoadOptions& options_;
    RunConfig& config_;
    Diagnostics& diagnostics_;
    std::set<std::string> broken_;  ///< sections with mistakes: their values are not stored
};

// Reading order: the file from top to bottom, then the command line.
void sort_by_place(Diagnostics& diagnostics) {
    const auto key = [](const Diagnostic& diagnostic) {
        const Location& where = diagnostic.location;
        return std::tuple(is_override(where), where.line, where.column);
    };
    std::stable_sort(diagnostics.begin(),
                     diagnostics.end(),
                     [&](const Diagnostic& a, const Diagnostic& b) { return key(a) < key(b); });
}

}  // namespace

LoadResult load_text(std::string_view text,
                     const fs::path& path,
                     const std::vector<std::string>& overrides,
                     const LoadOptions& options) {
    LoadResult result;
    result.config.file = path.string();
    Tree tree = read_tree(text, path.string(), result.diagnostics);
    const auto is_syntax = [](const Diagnostic& found) { return found.code == "config/syntax"; };
    if (std::any_of(result.diagnostics.begin(), result.diagnostics.end(), is_syntax)) {
        return result;
    }
    for (const std::string& assignment : overrides) {
        apply_override(tree, assignment, result.diagnostics);
    }
    if (auto unsupported = check_schema_version(tree)) {
        result.diagnostics.push_back(std::move(*unsupported));
        return result;
    }
    Loader(tree, path, options, result).run();
    sort_by_place(result.diagnostics);
    return result;
}

LoadResult load(const fs::path& path,
                const std::vector<std::string>& overrides,
                const LoadOptions& options) {
    try {
        return load_text(read_file(path, kLargestFileBytes), path, overrides, options);
    } catch (const Error& error) {
        LoadResult result;
        result.config.file = path.string();
        result.diagnostics.push_back(make_error(
            "config/cannot-read", error.what(), Location{path.string(), 0, 0, 0}, error.hint()));
        return result;
    }
}

}  // namespace topress::config
