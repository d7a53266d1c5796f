// What a reference of a relation means in this run, and what is wrong with it.
#pragma once

#include "order/build.hpp"

#include <string>
#include <unordered_map>
#include <vector>

namespace topress::order {

/// Looks references up among the nodes and reports the doubtful ones, each once.
class References {
  public:
    References(const Nodes& nodes, Diagnostics& findings);

    /// The nodes a technique or rule means: by id or trait.
    [[nodiscard]] const std::vector<NodeIndex>& find(const std::string& reference) const;

    /// The nodes a user means: a label if there is one of that name, else as `find`.
    [[nodiscard]] std::vector<NodeIndex> find_for_user(const std::string& reference) const;

    [[nodiscard]] bool is_label(const std::string& reference) const;

    /// Warns of a name nobody has, informs of one that is not selected.
    void report(const std::string& reference, const Provenance& where, bool labels_allowed);

    /// Warns of a rule's name only if it is nearly a known one: rules may speak of what is not
    /// there.
    void report_rule(const std::string& reference, const Provenance& where);

  private:
    [[nodiscard]] std::vector<std::string> names(bool with_labels) const;
    void add(Severity severity,
             const char* code,
             std::string message,
             const Provenance& where,
             std::string hint);

    const Nodes& nodes_;
    Diagnostics& findings_;
    std::unordered_map<std::string, NodeIndex> labels_;
    /// What was asked for; the same few references are asked for over and over.
    mutable std::unordered_map<std::string, std::vector<NodeIndex>> found_;
};

}  // namespace topress::order
