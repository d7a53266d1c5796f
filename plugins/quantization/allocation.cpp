// Multiple-choice knapsack over fronts of partial sums.
#include "allocation.hpp"

#include <algorithm>
#include <limits>

namespace topress::quantization {
namespace {

// Sums of the same numbers in another order differ by this share at most.
constexpr double kRounding = 1e-9;

/// Choices for the first items, by their sum; `before` leads to the choices for the items before.
struct Partial {
    double cost = 0;
    double loss = 0;
    std::size_t choice = 0;
    std::size_t before = 0;
};

using Front = std::vector<Partial>;

/// The least of one figure that the items from each index on can add.
std::vector<double> least_from(const std::vector<std::vector<Choice>>& items,
                               double Choice::* figure) {
    std::vector<double> least(items.size() + 1, 0.0);
    for (std::size_t i = items.size(); i-- > 0;) {
        const auto best = std::min_element(
            items[i].begin(), items[i].end(), [&](const Choice& a, const Choice& b) {
                return a.*figure < b.*figure;
            });
        least[i] = least[i + 1] + (*best).*figure;
    }
    return least;
}

/// Keeps what no other partial sum beats, in order of rising cost and falling loss.
void keep_front(Front& all) {
    std::sort(all.begin(), all.end(), [](const Partial& a, const Partial& b) {
        return a.cost != b.cost ? a.cost < b.cost : a.loss < b.loss;
    });
    Front kept;
    for (const Partial& partial : all) {
        if (kept.empty() || partial.loss < kept.back().loss) {
            kept.push_back(partial);
        }
    }
    all = std::move(kept);
}

/// A loss that can be reached: for each item the best choice that leaves the others their cheapest.
double reachable_loss(const std::vector<std::vector<Choice>>& items,
                      const std::vector<double>& least_cost,
                      double budget) {
    double spent = 0;
    double loss = 0;
    for (std::size_t i = 0; i < items.size(); ++i) {
        double best = std::numeric_limits<double>::infinity();
        double cost = 0;
        for (const Choice& choice : items[i]) {
            const bool fits = spent + choice.cost + least_cost[i + 1] <= budget;
            if (fits && (choice.loss < best || (choice.loss == best && choice.cost < cost))) {
                best = choice.loss;
                cost = choice.cost;
            }
        }
        spent += cost;
        loss += best;
    }
    return loss;
}

}  // namespace

std::vector<std::size_t> allocate(const std::vector<std::vector<Choice>>& items, double budget) {
    const auto is_empty = [](const std::vector<Choice>& choices) { return choices.empty(); };
    if (std::any_of(items.begin(), items.end(), is_empty)) {
        return {};
    }
    const double limit = budget + kRounding * std::max(budget, 1.0);
    const std::vector<double> least_cost = least_from(items, &Choice::cost);
    const std::vector<double> least_loss = least_from(items, &Choice::loss);
    if (least_cost[0] > limit) {
        return {};
    }
    const double known = reachable_loss(items, least_cost, limit);
    const double bound = known + kRounding * std::max(known, 1.0);

    std::vector<Front> fronts{{Partial{}}};
    for (std::size_t i = 0; i < items.size(); ++i) {
        Front next;
        for (std::size_t before = 0; before < fronts.back().size(); ++before) {
            const Partial& from = fronts.back()[before];
            for (std::size_t choice = 0; choice < items[i].size(); ++choice) {
                const Partial partial{from.cost + items[i][choice].cost,
                                      from.loss + items[i][choice].loss,
                                      choice,
                                      before};
                if (partial.cost + least_cost[i + 1] <= limit &&
                    partial.loss + least_loss[i + 1] <= bound) {
                    next.push_back(partial);
                }
            }
        }
        keep_front(next);
        fronts.push_back(std::move(next));
    }
    // Rising cost, falling loss: the last is the best.
    std::vector<std::size_t> chosen(items.size());
    std::size_t place = fronts.back().size() - 1;
    for (std::size_t i = items.size(); i-- > 0;) {
        const Partial& partial = fronts[i + 1][place];
        chosen[i] = partial.choice;
        place = partial.before;
    }
    return chosen;
}

}  // namespace topress::quantization
