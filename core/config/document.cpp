// The reference page: prose around tables rendered from the schema.
#include "config/document.hpp"

#include "config/load.hpp"
#include "config/schema.hpp"

#include <cmath>

namespace topress::config {

namespace {

constexpr std::string_view kIntroduction =
    R"(# Configuration reference

<!-- Rendered from core/config/schema.cpp by the test `config_test`; after a change there, run it
     with TOPRESS_UPDATE_GOLDEN=1 instead of editing this page. -->

A run is one TOML file. `topress plan FILE` checks it and shows what would happen, `topress run FILE`
does it. [`configs/minimal.toml`](../configs/minimal.toml) is the shortest useful one.

- Every mistake is reported in one pass, with line and column; an unknown key is an error.
- `--set SECTION.KEY=VALUE` on the command line wins over the file, the file over the default. The value
  is read as TOML; a bare word is a string (`--set train.schedule=constant`).
- Paths are relative to the configuration file; those of `--set` to the current folder.
- The output folder holds `config.toml`, the same run with every default written out. Running that file
  repeats the run.

"Required" in the column "default" means that there is none. A dash means that the key may stay absent.
)";

constexpr std::string_view kEdges = R"(
## `[[order.edge]]`

A wish of yours: `before` runs before `after`. As many as you like; see [ordering.md](ordering.md).

)";

constexpr std::string_view kSettings = R"(
## `[[explore.setting]]`

One round of an exploration: every order is run once per setting and seed, and orders are compared over all settings together.
Without any there is one round with the techniques as the configuration has them; see [explore.md](explore.md).

)";

constexpr std::string_view kTechniques = R"(
## `[technique.LABEL]`

One table per use of a technique. They are tables and not a list because their order is derived. The
label is yours: letters, digits, `_`, `-` and `.`; it names the row of the ledger and the files of the stage. A
technique may be used twice under two labels. Keys that are not in this list are parameters of the technique:
`topress plugin doc` lists them with their ranges.

)";

constexpr std::string_view kTechniqueExample = R"(
```toml
[technique.channel]              # the label is the last part of the id pruning.channel
macs_ratio = 0.5

[technique.second_pruning]       # the same technique once more
use = "pruning.channel"
macs_ratio = 0.8
```
)";

// A bar would end the cell.
std::string cell(const std::string& text) {
    std::string escaped;
    for (const char c : text) {
        escaped += c == '|' ? std::string("\\|") : std::string(1, c);
    }
    return escaped;
}

std::string code(const std::string& text) {
    return "`" + text + "`";
}

std::string limit_text(double limit) {
    const bool whole = std::trunc(limit) == limit && std::abs(limit) < 1e15;
    return to_toml(whole ? ParameterValue(static_cast<std::int64_t>(limit))
                         : ParameterValue(limit));
}

std::string range_text(const ParameterSpec& spec) {
    if (spec.minimum && spec.maximum) {
        return limit_text(*spec.minimum) + " to " + limit_text(*spec.maximum);
    }
    if (spec.minimum) {
        return "at least " + limit_text(*spec.minimum);
    }
    return spec.maximum ? "at most " + limit_text(*spec.maximum) : "";
}

std::string row_of(const ParameterSpec& spec) {
    return "| " + code(spec.name) + " | " + std::string(type_name(spec.type)) + " | " +
           cell(default_text(spec)) + " | " + cell(accepted_text(spec)) + " | " + cell(spec.doc) +
           " |\n";
}

std::string section_text(const Section& section) {
    const std::string title = section.name.empty() ? "Top level" : code("[" + section.name + "]");
    return "\n## " + title + "\n\n" + section.doc + "\n\n" +
           document_parameters(specs_of(section, LoadOptions{}.architectures));
}

}  // namespace

std::string accepted_text(const ParameterSpec& spec) {
    std::string text;
    for (const std::string& value : spec.values) {
        text += (text.empty() ? "" : ", ") + code(to_toml(ParameterValue(value)));
    }
    text += range_text(spec);
    const std::string_view separator = text.empty() || spec.unit.empty() ? "" : " ";
    return text.append(separator).append(spec.unit);
}

std::string default_text(const ParameterSpec& spec) {
    if (spec.default_value) {
        return code(to_toml(*spec.default_value));
    }
    if (spec.required_if) {
        return "required when " + code(to_text(*spec.required_if));
    }
    return spec.optional ? "-" : "required";
}

std::string document_parameters(const std::vector<ParameterSpec>& specs) {
    std::string text = "| key | type | default | accepted | meaning |\n|---|---|---|---|---|\n";
    for (const ParameterSpec& spec : specs) {
        text += row_of(spec);
    }
    return text;
}

std::string document() {
    std::string text(kIntroduction);
    for (const Section& section : schema()) {
        text += section_text(section);
        if (section.name == "order") {
            text.append(kEdges).append(document_parameters(edge_specs()));
        } else if (section.name == "explore") {
            text.append(kSettings).append(document_parameters(setting_specs()));
        }
    }
    return text.append(kTechniques)
        .append(document_parameters(technique_specs()))
        .append(kTechniqueExample);
}

}  // namespace topress::config
