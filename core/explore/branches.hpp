// Which orders an exploration runs, and how they share their beginnings: the prefix tree.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace topress::explore {

/// Labels of techniques, first to last.
using Sequence = std::vector<std::string>;

/// What is compared.
struct Modes {
    bool pairs = false;         ///< both orders of every two techniques
    bool insertions = false;    ///< all orders of every three: does a third turn a pair round?
    bool permutations = false;  ///< all orders of all techniques
};

/// Every order that the modes ask for, each once, in a sequence in which orders with a common
/// beginning are neighbours, the longer ones first. `labels` are in the plan's order.
[[nodiscard]] std::vector<Sequence> orders_of(const Modes& modes, const Sequence& labels);

/// All orders of `length` of the labels, lexicographically by their place in `labels`.
[[nodiscard]] std::vector<Sequence> arrangements(const Sequence& labels, std::size_t length);

/// The orders as paths of a tree whose nodes are stages: a stage that several orders begin with is
/// run by the first of them.
struct Tree {
    std::size_t stage_runs = 0;   ///< nodes: one for each different beginning
    std::size_t finish_runs = 0;  ///< one for each order
    /// Per order: the index of the order that runs the longest beginning it does not run itself;
    /// none if only the baseline comes before.
    std::vector<std::optional<std::size_t>> waits_for;
    std::vector<std::size_t> own_stages;  ///< per order: how many stages it is the first to run
};

[[nodiscard]] Tree make_tree(const std::vector<Sequence>& orders);

/// "student-channel", for folders and messages. Labels keep what is harmless in a file name.
[[nodiscard]] std::string name_of(const Sequence& order);

/// "student, channel".
[[nodiscard]] std::string text_of(const Sequence& order);

}  // namespace topress::explore
