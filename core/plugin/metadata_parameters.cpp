// [technique.parameters.*] of plugin.toml -> ParameterSpecs, and the conditions on them.
#include "base/suggest.hpp"
#include "config/schema.hpp"
#include "plugin/metadata_reader.hpp"

#include <algorithm>
#include <cstddef>

namespace topress::plugin {

namespace {

using config::Condition;
using config::GivenParameter;
using config::Parameters;
using config::ParameterSpec;
using config::ParameterType;
using config::ParameterValue;
using config::Tree;

std::string title_of(const std::string& parameter) {
    return std::string("[technique.parameters.") + parameter + "]";
}

bool is_scalar(ParameterType type) {
    return type <= ParameterType::String;
}

// ---- one parameter ------------------------------------------------------------------------------

void check_limits(const Keys& keys,
                  const Tree& table,
                  const ParameterSpec& spec,
                  Mistakes& mistakes) {
    const bool is_text =
        spec.type == ParameterType::String || spec.type == ParameterType::StringList;
    const bool is_numeric = !is_text && spec.type != ParameterType::Bool;
    if (!is_numeric && (spec.minimum || spec.maximum)) {
        mistakes.add(std::string("'") + spec.name + "' has limits, but is no number",
                     keys.where(spec.minimum ? "minimum" : "maximum", table.location),
                     "remove minimum and maximum, or make it a number");
    }
    if (!is_text && !spec.values.empty()) {
        mistakes.add(std::string("'") + spec.name + "' lists accepted strings, but is no string",
                     keys.where("values", table.location),
                     "remove values, or make it a string");
    }
    if (spec.is_file && spec.type != ParameterType::String) {
        mistakes.add(std::string("'") + spec.name + "' is a file, but no string",
                     keys.where("file", table.location),
                     "remove file, or make it a string");
    }
    if (spec.minimum && spec.maximum && *spec.minimum > *spec.maximum) {
        mistakes.add(std::string("'") + spec.name + "' has a minimum above its maximum",
                     keys.where("minimum", table.location),
                     "swap them");
    }
}

// A value in plugin.toml goes the way a user's value would go: wrong type and out of range are
// found alike.
std::optional<ParameterValue> checked_value(const ParameterSpec& spec,
                                            const GivenParameter& given,
                                            const std::string& owner,
                                            Mistakes& mistakes) {
    ParameterSpec plain = spec;
    plain.required_if.reset();
    const Parameters values = {{spec.name, given}};
    Diagnostics found = config::validate_parameters(values, {plain}, owner, given.where);
    if (has_errors(found)) {
        mistakes.add_all(std::move(found));
        return std::nullopt;
    }
    return config::fill_defaults(values, {plain}).at(spec.name).value;
}

ParameterSpec read_parameter(const Tree& table, Mistakes& mistakes) {
    ParameterSpec spec;
    spec.name = table.name;
    Tree plain = table;
    const auto default_node = plain.values.extract("default");
    const std::string owner = title_of(table.name);
    mistakes.check_tables(table.tables, {"required_if"}, owner);
    mistakes.check_tables(table.rows, {}, owner);
    const auto keys = mistakes.read_keys(plain, parameter_keys(), owner);
    if (!keys) {
        return spec;
    }
    const auto& types = parameter_type_names();
    const auto type = std::ranges::find(types, keys->text("type"));
    spec.type = static_cast<ParameterType>(type - types.begin());
    spec.optional = keys->get<bool>("optional");
    spec.is_file = keys->get<bool>("file");
    spec.minimum = keys->number("minimum");
    spec.maximum = keys->number("maximum");
    spec.values = keys->names("values");
    spec.unit = keys->text("unit");
    spec.doc = keys->text("doc");
    check_limits(*keys, table, spec, mistakes);
    if (default_node) {
        spec.default_value =
            checked_value(spec, default_node.mapped(), owner + " (default)", mistakes);
    }
    return spec;
}

// ---- required_if --------------------------------------------------------------------------------

void read_required_if(const Tree& table,
                      const std::vector<ParameterSpec>& specs,
                      ParameterSpec& spec,
                      Mistakes& mistakes) {
    const Tree* required_if = config::find_table(table, "required_if");
    if (required_if == nullptr) {
        return;
    }
    if (table.values.contains("default")) {
        mistakes.add(std::string("'") + spec.name + "' has a default, so that it is never missing",
                     required_if->location,
                     "remove required_if, or the default");
        return;
    }
    spec.required_if = read_condition(
        *required_if, specs, title_of(spec.name) + " required_if", mistakes, spec.name);
    spec.optional = true;
}

// ---- conditions ---------------------------------------------------------------------------------

// One value stays one; a list becomes its elements.
std::vector<ParameterValue> elements_of(const ParameterValue& value) {
    return std::visit(
        []<typename Held>(const Held& held) {
            if constexpr (requires { typename Held::allocator_type; } &&
                          !std::is_same_v<Held, std::string>) {
                return std::vector<ParameterValue>(held.begin(), held.end());
            } else {
                return std::vector<ParameterValue>{held};
            }
        },
        value);
}

const ParameterSpec* find_subject(const Keys& keys,
                                  const Tree& table,
                                  const std::vector<ParameterSpec>& specs,
                                  const std::string& self,
                                  Mistakes& mistakes) {
    const std::string name = keys.text("parameter");
    const Location where = keys.where("parameter", table.location);
    const auto found = std::ranges::find(specs, name, &ParameterSpec::name);
    if (found == specs.end() || name == self) {
        std::vector<std::string> names;
        for (const ParameterSpec& spec : specs) {
            if (spec.name != self) {
                names.push_back(spec.name);
            }
        }
        const auto best = nearest(name, names);
        mistakes.add(
            std::string("'") + name + "' is no other parameter of this technique",
            where,
            best ? std::string("did you mean '") + *best + "'?" : "name one that it declares");
        return nullptr;
    }
    if (!is_scalar(found->type)) {
        mistakes.add(std::string("'") + name + "' is a list, and conditions compare single values",
                     where,
                     "name a bool, a number or a string");
        return nullptr;
    }
    return &*found;
}

}  // namespace

std::optional<Condition> read_condition(const Tree& table,
                                        const std::vector<ParameterSpec>& specs,
                                        const std::string& owner,
                                        Mistakes& mistakes,
                                        const std::string& self) {
    Tree plain = table;
    auto is = plain.values.extract("is");
    const auto is_not = plain.values.extract("is_not");
    mistakes.check_tables(table.tables, {}, owner);
    mistakes.check_tables(table.rows, {}, owner);
    const auto keys = mistakes.read_keys(plain, condition_keys(), owner);
    if (is.empty() == is_not.empty()) {
        mistakes.add(owner + " needs one of 'is' and 'is_not'",
                     table.location,
                     "add for example: is = true, or: is = [\"a\", \"b\"]");
        return std::nullopt;
    }
    const ParameterSpec* subject =
        keys ? find_subject(*keys, table, specs, self, mistakes) : nullptr;
    if (subject == nullptr) {
        return std::nullopt;
    }
    const GivenParameter& given = is ? is.mapped() : is_not.mapped();
    Condition condition{subject->name, {}, is.empty()};
    for (const ParameterValue& element : elements_of(given.value)) {
        const GivenParameter one{element, given.key, given.where};
        if (auto value = checked_value(*subject, one, owner, mistakes)) {
            condition.values.push_back(std::move(*value));
        }
    }
    if (elements_of(given.value).empty()) {
        mistakes.add(owner + " compares with no value", given.where, "list at least one value");
    }
    return condition;
}

// The host reads these keys of [technique.LABEL] itself: a parameter of that name could never be
// set.
void check_reserved(const Tree& table, Mistakes& mistakes) {
    const auto& reserved = config::technique_specs();
    if (std::ranges::find(reserved, table.name, &ParameterSpec::name) != reserved.end()) {
        mistakes.add(std::string("'") + table.name +
                         "' is a key that topress itself reads for every technique",
                     table.location,
                     "give the parameter another name");
    }
}

std::vector<ParameterSpec> read_parameters(const Tree& tree, Mistakes& mistakes) {
    for (const auto& [name, given] : tree.values) {
        mistakes.add(std::string("'") + name + "' must be a table with type, default and doc",
                     given.key,
                     "write " + title_of(name));
    }
    mistakes.check_tables(tree.rows, {}, "[technique.parameters]");
    std::vector<ParameterSpec> specs;
    for (const Tree& table : tree.tables) {
        check_reserved(table, mistakes);
        specs.push_back(read_parameter(table, mistakes));
    }
    for (std::size_t i = 0; i < specs.size(); ++i) {
        read_required_if(tree.tables[i], specs, specs[i], mistakes);
    }
    return specs;
}

}  // namespace topress::plugin
