// Checks of what was selected, before any ordering: presence, not order.
#include "order/selection.hpp"

#include "base/suggest.hpp"

#include <algorithm>

namespace topress::order {

namespace {

using Instances = std::vector<const Instance*>;

Instances sorted_by_label(const std::vector<Instance>& selected) {
    Instances sorted;
    for (const Instance& instance : selected) {
        sorted.push_back(&instance);
    }
    std::sort(sorted.begin(), sorted.end(), [](const Instance* a, const Instance* b) {
        return std::tie(a->label, a->technique) < std::tie(b->label, b->technique);
    });
    return sorted;
}

std::vector<std::string> known_ids(const Request& request) {
    std::vector<std::string> ids;
    for (const TechniqueInfo& technique : request.known) {
        ids.push_back(technique.id);
    }
    std::sort(ids.begin(), ids.end());
    return ids;
}

Diagnostic at_instance(const char* code, std::string message, const Instance& instance) {
    Diagnostic finding;
    finding.code = code;
    finding.message = std::move(message);
    finding.location = to_location(instance.where);
    return finding;
}

Diagnostic unknown_technique(const Request& request, const Instance& instance) {
    Diagnostic finding = at_instance("order/unknown-technique",
                                     "'" + instance.label + "' uses the technique '" +
                                         instance.technique + "', which no installed plugin has",
                                     instance);
    const auto near = nearest(instance.technique, known_ids(request));
    finding.hint = near ? "did you mean '" + *near + "'?"
                        : "install the plugin that has it, or see: topress plugin list";
    return finding;
}

/// Whether some other instance is meant by the reference. Another instance of the same technique
/// counts only where its id is named, so a technique never collides with its own capability.
const Instance* other_match(const Request& request,
                            const Instances& selected,
                            const Instance& self,
                            const std::string& reference) {
    for (const Instance* other : selected) {
        const TechniqueInfo* technique = find_technique(request, other->technique);
        const bool excluded =
            other == &self || (is_trait(reference) && other->technique == self.technique);
        if (!excluded && technique != nullptr && matches(reference, *technique)) {
            return other;
        }
    }
    return nullptr;
}

std::string providers(const Request& request, const std::string& reference) {
    std::string names;
    for (const std::string& id : known_ids(request)) {
        if (matches(reference, *find_technique(request, id))) {
            names += (names.empty() ? "'" : ", '") + id + "'";
        }
    }
    return names;
}

Diagnostic missing_requirement(const Request& request,
                               const Instance& instance,
                               const TechniqueInfo& technique,
                               const std::string& reference) {
    Diagnostic finding = at_instance("order/requires-missing",
                                     "'" + instance.label + "' requires '" + reference +
                                         "', and nothing selected is or provides it",
                                     instance);
    finding.notes.push_back({technique.id + " " + describe(technique.where), {}});
    const std::string names = providers(request, reference);
    finding.hint = names.empty()
                       ? "install a plugin that has it, or remove '" + instance.label + "'"
                       : "add one of: " + names;
    return finding;
}

Diagnostic cannot_combine(const Instance& instance,
                          const TechniqueInfo& technique,
                          const Instance& other,
                          const std::string& reason) {
    Diagnostic finding = at_instance(
        "order/conflict",
        "'" + instance.label + "' cannot be combined with '" + other.label + "': " + reason,
        instance);
    finding.notes.push_back({technique.id + " " + describe(technique.where), {}});
    finding.notes.push_back({"'" + other.label + "' is selected here", to_location(other.where)});
    finding.hint = "remove '" + instance.label + "' or '" + other.label + "'";
    return finding;
}

void check_presence(const Request& request,
                    const Instances& selected,
                    const Instance& instance,
                    Diagnostics& findings) {
    const TechniqueInfo* technique = find_technique(request, instance.technique);
    if (technique == nullptr) {
        findings.push_back(unknown_technique(request, instance));
        return;
    }
    for (const std::string& reference : technique->requires_) {
        if (other_match(request, selected, instance, reference) == nullptr) {
            findings.push_back(missing_requirement(request, instance, *technique, reference));
        }
    }
    for (const std::string& id : technique->replaces) {
        const auto other = std::ranges::find(selected, id, &Instance::technique);
        if (other != selected.end() && id != technique->id) {
            findings.push_back(
                cannot_combine(instance, *technique, **other, "it replaces '" + id + "'"));
        }
    }
    for (const std::string& reference : technique->conflicts) {
        if (const Instance* other = other_match(request, selected, instance, reference)) {
            findings.push_back(cannot_combine(
                instance, *technique, *other, "it conflicts with '" + reference + "'"));
        }
    }
}

void check_labels(const Instances& selected, Diagnostics& findings) {
    for (std::size_t i = 1; i < selected.size(); ++i) {
        if (selected[i]->label == selected[i - 1]->label) {
            Diagnostic finding = at_instance(
                "order/duplicate-label",
                "the label '" + selected[i]->label + "' is given to more than one technique",
                *selected[i]);
            finding.hint = "give each its own label and name the technique with 'use'";
            findings.push_back(std::move(finding));
        }
    }
}

}  // namespace

const TechniqueInfo* find_technique(const Request& request, const std::string& id) {
    const auto found = std::find_if(request.known.begin(),
                                    request.known.end(),
                                    [&](const TechniqueInfo& known) { return known.id == id; });
    return found == request.known.end() ? nullptr : &*found;
}

Diagnostics check_selection(const Request& request) {
    const Instances selected = sorted_by_label(request.selected);
    Diagnostics findings;
    check_labels(selected, findings);
    for (const Instance* instance : selected) {
        check_presence(request, selected, *instance, findings);
    }
    return findings;
}

}  // namespace topress::order
