// Arrangements and their prefix tree.
#include "explore/branches.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

namespace topress::explore {
namespace {

void extend(const Sequence& labels,
            std::size_t length,
            Sequence& current,
            std::vector<Sequence>& found) {
    if (current.size() == length) {
        found.push_back(current);
        return;
    }
    for (const std::string& label : labels) {
        if (std::ranges::find(current, label) == current.end()) {
            current.push_back(label);
            extend(labels, length, current, found);
            current.pop_back();
        }
    }
}

/// The place of every label, so that orders compare by the plan and not by the alphabet.
std::vector<std::size_t> places_of(const Sequence& order, const Sequence& labels) {
    std::vector<std::size_t> places;
    for (const std::string& label : order) {
        places.push_back(
            static_cast<std::size_t>(std::ranges::find(labels, label) - labels.begin()));
    }
    return places;
}

/// A longer order goes before its own beginning: it then runs the shared stages, and everybody else
/// waits for one order instead of a chain of them.
bool goes_first(const std::vector<std::size_t>& a, const std::vector<std::size_t>& b) {
    const auto [at_a, at_b] = std::ranges::mismatch(a, b);
    if (at_a == a.end() || at_b == b.end()) {
        return a.size() > b.size();
    }
    return *at_a < *at_b;
}

std::string joined(const Sequence& order, const char* separator) {
    std::string text;
    for (const std::string& label : order) {
        text += (text.empty() ? "" : separator) + label;
    }
    return text;
}

}  // namespace

std::vector<Sequence> arrangements(const Sequence& labels, std::size_t length) {
    std::vector<Sequence> found;
    Sequence current;
    if (length <= labels.size()) {
        extend(labels, length, current, found);
    }
    return found;
}

std::vector<Sequence> orders_of(const Modes& modes, const Sequence& labels) {
    std::set<std::size_t> lengths;
    if (modes.pairs) {
        lengths.insert(2);
    }
    if (modes.insertions) {
        lengths.insert({2, 3});  // an insertion is compared with its pair
    }
    if (modes.permutations) {
        lengths.insert(labels.size());
    }
    std::vector<Sequence> orders;
    for (const std::size_t length : lengths) {
        std::ranges::copy(arrangements(labels, length), std::back_inserter(orders));
    }
    std::ranges::stable_sort(orders, [&](const Sequence& a, const Sequence& b) {
        return goes_first(places_of(a, labels), places_of(b, labels));
    });
    return orders;
}

Tree make_tree(const std::vector<Sequence>& orders) {
    Tree tree;
    std::map<Sequence, std::size_t> owner;
    for (std::size_t index = 0; index < orders.size(); ++index) {
        const Sequence& order = orders[index];
        std::optional<std::size_t> waits_for;
        std::size_t own = 0;
        for (std::size_t length = 1; length <= order.size(); ++length) {
            const Sequence prefix(order.begin(),
                                  order.begin() + static_cast<std::ptrdiff_t>(length));
            const auto [found, is_new] = owner.emplace(prefix, index);
            if (is_new) {
                ++own;
            } else {
                waits_for = found->second;
            }
        }
        tree.stage_runs += own;
        ++tree.finish_runs;
        tree.waits_for.push_back(waits_for);
        tree.own_stages.push_back(own);
    }
    return tree;
}

std::string name_of(const Sequence& order) {
    std::string name = joined(order, "-");
    std::ranges::replace_if(
        name,
        [](unsigned char letter) {
            return std::isalnum(letter) == 0 && letter != '_' && letter != '-' && letter != '.';
        },
        '_');
    return name;
}

std::string text_of(const Sequence& order) {
    return joined(order, ", ");
}

}  // namespace topress::explore
