// Seeds are pairs: the same data order and the same budget on both sides.
#include "explore/compare.hpp"

#include "explore/front.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace topress::explore {
namespace {

/// Results looked up by order and seed.
class Lookup {
  public:
    Lookup(const Experiment& experiment, const Results& results)
        : experiment_(experiment), results_(results) {
        for (std::size_t i = 0; i < experiment.orders.size(); ++i) {
            index_[experiment.orders[i]] = i;
        }
        for (const Round& round : experiment.rounds) {
            if (std::ranges::find(seeds_, round.seed) == seeds_.end()) {
                seeds_.push_back(round.seed);
            }
        }
    }

    [[nodiscard]] const std::vector<std::uint64_t>& seeds() const { return seeds_; }

    [[nodiscard]] bool has(const Sequence& order) const { return index_.count(order) != 0; }

    /// The results of an order under one seed, one per setting; empty unless all are finished.
    [[nodiscard]] std::vector<const BranchResult*> of(const Sequence& order,
                                                      std::uint64_t seed) const {
        std::vector<const BranchResult*> found;
        for (std::size_t round = 0; round < experiment_.rounds.size(); ++round) {
            if (experiment_.rounds[round].seed != seed) {
                continue;
            }
            const BranchResult& result = results_[round][index_.at(order)];
            if (result.state != BranchResult::State::Finished) {
                return {};
            }
            found.push_back(&result);
        }
        return found;
    }

    /// Why an order failed in some round; empty if it did not.
    [[nodiscard]] std::string failure(const Sequence& order) const {
        for (const std::vector<BranchResult>& round : results_) {
            const BranchResult& result = round[index_.at(order)];
            if (result.state == BranchResult::State::Failed) {
                return text_of(order) + ": " + result.error + " [" + result.error_code + "]";
            }
        }
        return "";
    }

  private:
    const Experiment& experiment_;
    const Results& results_;
    std::map<Sequence, std::size_t> index_;
    std::vector<std::uint64_t> seeds_;
};

/// Scores of several orders under one seed; empty unless all of them are there.
std::vector<double> scores(const Lookup& lookup,
                           const std::vector<Sequence>& orders,
                           std::uint64_t seed) {
    std::vector<std::vector<Point>> finals;
    double original = 0;
    for (const Sequence& order : orders) {
        const auto results = lookup.of(order, seed);
        if (results.empty()) {
            return {};
        }
        finals.emplace_back();
        for (const BranchResult* result : results) {
            finals.back().push_back({result->final().bitops_cr, result->final().accuracy});
        }
        original = results.front()->stages.front().accuracy;
    }
    return mean_accuracies(finals, original);
}

Comparison compare_two(const Lookup& lookup, Sequence first, Sequence second) {
    Comparison result{std::move(first), std::move(second), {}, {}, {}};
    for (const Sequence* order : {&result.first, &result.second}) {
        if (result.cannot_execute.empty()) {
            result.cannot_execute = lookup.failure(*order);
        }
    }
    for (const std::uint64_t seed : lookup.seeds()) {
        const auto both = scores(lookup, {result.first, result.second}, seed);
        if (!both.empty()) {
            result.differences.push_back(both[0] - both[1]);
        }
    }
    if (!result.differences.empty()) {
        result.estimate = estimate(result.differences);
    }
    return result;
}

void turn(Comparison& comparison) {
    std::swap(comparison.first, comparison.second);
    for (double& difference : comparison.differences) {
        difference = -difference;
    }
    comparison.estimate = {
        -comparison.estimate.mean, -comparison.estimate.high, -comparison.estimate.low};
}

std::vector<PairResult> compare_pairs(const Experiment& experiment, const Lookup& lookup) {
    std::vector<PairResult> pairs;
    const Sequence& labels = experiment.labels;
    for (std::size_t a = 0; a < labels.size(); ++a) {
        for (std::size_t b = a + 1; b < labels.size(); ++b) {
            const Sequence order{labels[a], labels[b]};
            const Sequence other{labels[b], labels[a]};
            if (!lookup.has(order) || !lookup.has(other)) {
                continue;
            }
            PairResult pair = compare_two(lookup, order, other);
            if (pair.differences.empty() && pair.cannot_execute.empty()) {
                continue;  // not there yet
            }
            if (pair.estimate.mean < 0) {
                turn(pair);
            }
            pairs.push_back(std::move(pair));
        }
    }
    return pairs;
}

std::optional<Ranking> rank_pairs(const Experiment& experiment,
                                  const std::vector<PairResult>& pairs) {
    const Sequence& labels = experiment.labels;
    if (labels.size() < 2 || pairs.size() != labels.size() * (labels.size() - 1) / 2) {
        return std::nullopt;
    }
    const auto index = [&](const std::string& label) {
        return static_cast<std::size_t>(std::ranges::find(labels, label) - labels.begin());
    };
    std::vector<Match> matches;
    for (const PairResult& pair : pairs) {
        if (!pair.differences.empty()) {
            matches.push_back({index(pair.first[0]),
                               index(pair.first[1]),
                               pair.estimate.mean,
                               pair.estimate.decided()});
        }
    }
    return rank(labels.size(), matches);
}

/// Mean accuracy and geometric mean of BitOpsCR over all rounds.
void describe_finals(const Lookup& lookup, OrderResult& result) {
    double accuracy = 0;
    double log_cr = 0;
    double count = 0;
    for (const std::uint64_t seed : lookup.seeds()) {
        for (const BranchResult* each : lookup.of(result.order, seed)) {
            accuracy += each->final().accuracy;
            log_cr += std::log(each->final().bitops_cr);
            ++count;
        }
    }
    result.accuracy = accuracy / count;
    result.bitops_cr = std::exp(log_cr / count);
}

/// The complete orders that ran under every seed that any of them ran under.
std::vector<Sequence> executed(const Experiment& experiment,
                               const Lookup& lookup,
                               std::vector<OrderResult>& failed) {
    std::vector<Sequence> orders;
    for (const Sequence& order : experiment.orders) {
        if (order.size() != experiment.labels.size()) {
            continue;
        }
        const std::string failure = lookup.failure(order);
        if (failure.empty()) {
            orders.push_back(order);
        } else {
            OrderResult result;
            result.order = order;
            result.cannot_execute = failure;
            failed.push_back(std::move(result));
        }
    }
    return orders;
}

std::vector<OrderResult> compare_orders(const Experiment& experiment, const Lookup& lookup) {
    std::vector<OrderResult> failed;
    const std::vector<Sequence> orders = executed(experiment, lookup, failed);
    std::vector<OrderResult> results(orders.size());
    for (const std::uint64_t seed : lookup.seeds()) {
        const std::vector<double> of_seed = scores(lookup, orders, seed);
        for (std::size_t i = 0; i < of_seed.size(); ++i) {
            results[i].scores.push_back(of_seed[i]);
        }
    }
    if (results.empty() || results.front().scores.empty()) {
        return failed;
    }
    for (std::size_t i = 0; i < orders.size(); ++i) {
        results[i].order = orders[i];
        results[i].score = estimate(results[i].scores);
        describe_finals(lookup, results[i]);
    }
    std::ranges::stable_sort(results, std::ranges::greater{}, [](const OrderResult& result) {
        return result.score.mean;
    });
    for (OrderResult& result : results) {
        std::vector<double> to_best;
        for (std::size_t i = 0; i < result.scores.size(); ++i) {
            to_best.push_back(result.scores[i] - results.front().scores[i]);
        }
        result.to_best = estimate(to_best);
    }
    std::ranges::move(failed, std::back_inserter(results));
    return results;
}

bool precedes(const Sequence& order, const std::string& before, const std::string& after) {
    return std::ranges::find(order, before) < std::ranges::find(order, after);
}

/// Per seed the mean score of the orders with `before` first, less that of the others.
std::vector<double> marginal_differences(const std::vector<OrderResult>& orders,
                                         const std::string& before,
                                         const std::string& after) {
    std::vector<double> differences;
    for (std::size_t seed = 0; seed < orders.front().scores.size(); ++seed) {
        double sum[2] = {0, 0};
        double count[2] = {0, 0};
        for (const OrderResult& order : orders) {
            if (order.cannot_execute.empty()) {
                const std::size_t side = precedes(order.order, before, after) ? 0 : 1;
                sum[side] += order.scores[seed];
                ++count[side];
            }
        }
        if (count[0] > 0 && count[1] > 0) {
            differences.push_back(sum[0] / count[0] - sum[1] / count[1]);
        }
    }
    return differences;
}

std::vector<Precedence> compare_precedences(const Experiment& experiment,
                                            const std::vector<OrderResult>& orders) {
    std::vector<Precedence> precedences;
    const auto count = std::ranges::count_if(
        orders, [](const OrderResult& order) { return order.cannot_execute.empty(); });
    if (count < 2 || orders.front().scores.empty()) {
        return precedences;
    }
    for (std::size_t a = 0; a < experiment.labels.size(); ++a) {
        for (std::size_t b = a + 1; b < experiment.labels.size(); ++b) {
            const std::string& before = experiment.labels[a];
            const std::string& after = experiment.labels[b];
            const auto differences = marginal_differences(orders, before, after);
            if (differences.empty()) {
                continue;
            }
            const Estimate found = estimate(differences);
            precedences.push_back(
                found.mean >= 0
                    ? Precedence{before, after, found}
                    : Precedence{after, before, {-found.mean, -found.high, -found.low}});
        }
    }
    return precedences;
}

std::string verdict_of(const Comparison& compared) {
    if (!compared.cannot_execute.empty()) {
        return "cannot-execute";
    }
    if (!compared.estimate.decided()) {
        return "undecided";
    }
    return compared.estimate.low > 0 ? "holds" : "broken";
}

std::vector<Insertion> compare_insertions(const Experiment& experiment,
                                          const Lookup& lookup,
                                          const std::vector<PairResult>& pairs) {
    std::vector<Insertion> insertions;
    for (const PairResult& pair : pairs) {
        for (const std::string& between : experiment.labels) {
            const std::string& before = pair.first[0];
            const std::string& after = pair.first[1];
            if (between == before || between == after || !pair.cannot_execute.empty()) {
                continue;
            }
            const Sequence order{before, between, after};
            const Sequence other{after, between, before};
            if (!lookup.has(order) || !lookup.has(other)) {
                continue;
            }
            Comparison compared = compare_two(lookup, order, other);
            if (compared.differences.empty() && compared.cannot_execute.empty()) {
                continue;
            }
            std::string verdict = verdict_of(compared);
            insertions.push_back(
                {before, after, between, std::move(compared), pair.estimate, std::move(verdict)});
        }
    }
    return insertions;
}

}  // namespace

Findings compare(const Experiment& experiment, const Results& results) {
    const Lookup lookup(experiment, results);
    Findings findings;
    findings.pairs = compare_pairs(experiment, lookup);
    findings.ranking = rank_pairs(experiment, findings.pairs);
    findings.orders = compare_orders(experiment, lookup);
    findings.precedences = compare_precedences(experiment, findings.orders);
    findings.insertions = compare_insertions(experiment, lookup, findings.pairs);
    return findings;
}

std::optional<Sequence> winner(const Experiment& experiment, const Findings& findings) {
    if (!findings.ranking) {
        return std::nullopt;
    }
    Sequence order;
    for (const std::size_t index : findings.ranking->order) {
        order.push_back(experiment.labels[index]);
    }
    return order;
}

std::optional<double> intensity(const Experiment& experiment,
                                const Results& results,
                                const std::string& label) {
    double log_ratio = 0;
    double count = 0;
    for (const std::vector<BranchResult>& round : results) {
        for (std::size_t i = 0; i < round.size(); ++i) {  // every such order has the same stage
            if (round[i].state == BranchResult::State::Finished &&
                experiment.orders[i].front() == label) {
                log_ratio += std::log(round[i].stages[0].bitops / round[i].stages[1].bitops);
                ++count;
                break;
            }
        }
    }
    return count > 0 ? std::optional(std::exp(log_ratio / count)) : std::nullopt;
}

}  // namespace topress::explore
