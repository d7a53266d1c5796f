// Candidate edges: declarations between selected techniques, and what follows through absent ones.
// An absent technique still stands between two others: inserting or removing it does not turn
// them around (arXiv 2403.17447, "insertion does not break the order").
#include "order/build.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

namespace topress::order {

namespace {

int weakness(const Declaration& declaration) {
    return weakness(declaration.strength, *declaration.where);
}

/// Tells declarations of one strength apart, wherever they stand in the request.
auto content(const Declaration& d) {
    return std::tie(d.where->origin,
                    d.where->declared_by,
                    d.where->file,
                    d.where->line,
                    d.where->column,
                    *d.reason,
                    *d.source);
}

bool stronger(const Declaration& a, const Declaration& b) {
    const int of_a = weakness(a);
    const int of_b = weakness(b);
    return of_a != of_b ? of_a < of_b : content(a) < content(b);
}

Step make_step(const Nodes& nodes, const Declaration& declaration) {
    return {nodes.all[declaration.from].name,
            nodes.all[declaration.to].name,
            declaration.strength,
            *declaration.where,
            *declaration.reason,
            *declaration.source};
}

Candidate make_direct(const Nodes& nodes, const Declaration& declaration) {
    Candidate candidate{declaration.from, declaration.to, {}};
    const Step step = make_step(nodes, declaration);
    candidate.edge = {step.before,
                      step.after,
                      step.strength,
                      step.where,
                      step.reason,
                      step.source,
                      true,
                      {},
                      {},
                      {step}};
    return candidate;
}

void append(std::string& text, const std::string& part) {
    if (!part.empty()) {
        text += (text.empty() ? "" : "; ") + part;
    }
}

using Chain = std::vector<const Declaration*>;

Candidate make_inferred(const Nodes& nodes, const Chain& chain) {
    Candidate candidate{chain.front()->from, chain.back()->to, {}};
    Edge& edge = candidate.edge;
    edge.before = nodes.all[candidate.from].name;
    edge.after = nodes.all[candidate.to].name;
    const Declaration* weakest = chain.front();
    for (const Declaration* link : chain) {
        edge.steps.push_back(make_step(nodes, *link));
        append(edge.reason, *link->reason);
        append(edge.source, *link->source);
        if (link != chain.back()) {
            edge.through.push_back(nodes.all[link->to].name);
        }
        weakest = weakness(*link) > weakness(*weakest) ? link : weakest;
    }
    edge.strength = weakest->strength;
    edge.where = *weakest->where;
    return candidate;
}

/// The strongest declaration of every ordered pair of nodes.
class Strongest {
  public:
    explicit Strongest(const std::vector<Declaration>& declarations) {
        for (const Declaration& declaration : declarations) {
            const auto [place, fresh] =
                best_.try_emplace({declaration.from, declaration.to}, &declaration);
            if (!fresh && stronger(declaration, *place->second)) {
                place->second = &declaration;
            }
        }
        std::set<int> weaknesses;
        for (const auto& [arc, declaration] : best_) {
            weaknesses.insert(weakness(*declaration));
        }
        weaknesses_.assign(weaknesses.begin(), weaknesses.end());
    }

    /// Those of all declarations, strongest first.
    [[nodiscard]] const std::vector<int>& weaknesses() const { return weaknesses_; }

    [[nodiscard]] const Declaration* find(NodeIndex from, NodeIndex to) const {
        const auto found = best_.find({from, to});
        return found == best_.end() ? nullptr : found->second;
    }

    /// Successors of a node by index; those whose opposite is at least as strong carry nothing on.
    [[nodiscard]] std::vector<const Declaration*> leaving(NodeIndex from) const {
        std::vector<const Declaration*> links;
        for (auto at = best_.lower_bound({from, 0}); at != best_.end() && at->first.first == from;
             ++at) {
            const Declaration* opposite = find(at->first.second, from);
            if (opposite == nullptr || weakness(*opposite) > weakness(*at->second)) {
                links.push_back(at->second);
            }
        }
        return links;
    }

  private:
    std::map<Arc, const Declaration*> best_;
    std::vector<int> weaknesses_;
};

/// Finds, from one selected node, the strongest and then shortest way through absent nodes to
/// every other selected node.
class Detours {
  public:
    Detours(const Nodes& nodes, const Strongest& links) : nodes_(nodes), links_(links) {}

    [[nodiscard]] std::map<NodeIndex, Chain> from(NodeIndex start) const {
        std::map<NodeIndex, Chain> found;
        for (const int limit : links_.weaknesses()) {
            search(start, limit, found);
        }
        return found;
    }

  private:
    /// Breadth first over links no weaker than `limit`; keeps what an earlier limit found.
    void search(NodeIndex start, int limit, std::map<NodeIndex, Chain>& found) const {
        std::map<NodeIndex, const Declaration*> arrived_by;
        std::deque<NodeIndex> open{start};
        while (!open.empty()) {
            const NodeIndex node = open.front();
            open.pop_front();
            for (const Declaration* link : links_.leaving(node)) {
                if (weakness(*link) > limit || link->to == start) {
                    continue;
                }
                const bool absent = link->to >= nodes_.selected;
                if (absent && arrived_by.try_emplace(link->to, link).second) {
                    open.push_back(link->to);
                } else if (!absent && node != start) {
                    found.try_emplace(link->to, trace(arrived_by, start, link));
                }
            }
        }
    }

    static Chain trace(const std::map<NodeIndex, const Declaration*>& arrived_by,
                       NodeIndex start,
                       const Declaration* last) {
        Chain chain{last};
        while (chain.back()->from != start) {
            chain.push_back(arrived_by.at(chain.back()->from));
        }
        std::reverse(chain.begin(), chain.end());
        return chain;
    }

    const Nodes& nodes_;
    const Strongest& links_;
};

void add_inferred(const Nodes& nodes,
                  const std::vector<Declaration>& declarations,
                  std::vector<Candidate>& candidates) {
    const Strongest links(declarations);
    const Detours detours(nodes, links);
    for (NodeIndex start = 0; start < nodes.selected; ++start) {
        for (const auto& [end, chain] : detours.from(start)) {
            if (nodes.all[start].technique == nodes.all[end].technique) {
                continue;
            }
            Candidate inferred = make_inferred(nodes, chain);
            const Declaration* direct = links.find(start, end);
            const int of_inferred = weakness(inferred.edge.strength, inferred.edge.where);
            if (direct == nullptr || weakness(*direct) > of_inferred) {
                candidates.push_back(std::move(inferred));
            }
        }
    }
}

bool goes_first(const Candidate& a, const Candidate& b) {
    const Edge& x = a.edge;
    const Edge& y = b.edge;
    const auto first = [](const Edge& e) {
        return std::pair(weakness(e.strength, e.where), e.through.size());
    };
    const auto then = [](const Edge& e) {
        return std::tie(e.before,
                        e.after,
                        e.where.origin,
                        e.where.declared_by,
                        e.where.file,
                        e.where.line,
                        e.where.column,
                        e.reason,
                        e.source);
    };
    return first(x) != first(y) ? first(x) < first(y) : then(x) < then(y);
}

}  // namespace

std::vector<Candidate> make_candidates(const Nodes& nodes,
                                       const std::vector<Declaration>& declarations) {
    std::vector<Candidate> candidates;
    for (const Declaration& declaration : declarations) {
        if (declaration.from < nodes.selected && declaration.to < nodes.selected) {
            candidates.push_back(make_direct(nodes, declaration));
        }
    }
    add_inferred(nodes, declarations, candidates);
    std::sort(candidates.begin(), candidates.end(), goes_first);
    return candidates;
}

}  // namespace topress::order
