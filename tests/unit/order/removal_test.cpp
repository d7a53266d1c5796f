// What the order would be without one of the techniques.
#include "order/removal.hpp"

#include "builders.hpp"

#include <doctest/doctest.h>

using namespace topress::order;
using namespace topress::order::testing;

namespace {

std::vector<Removal> removals_of(const Request& request) {
    const auto removals = find_removals(request, derive_order(request));
    REQUIRE(removals);
    return *removals;
}

const Removal& without(const std::vector<Removal>& removals, const std::string& label) {
    const auto found = std::find_if(
        removals.begin(), removals.end(), [&](const Removal& each) { return each.label == label; });
    REQUIRE(found != removals.end());
    return *found;
}

}  // namespace

TEST_SUITE("order") {
    TEST_CASE("order: leaving out a technique keeps the order of the others") {
        Request request = plain({"a", "b", "c"});
        request.user_edges = {user_edge("c", "b"), user_edge("b", "a"), user_edge("c", "a")};
        const auto removals = removals_of(request);
        REQUIRE(removals.size() == 3);
        CHECK(removals[0].label == "c");
        CHECK(without(removals, "b").sequence == Names{"c", "a"});
        CHECK_FALSE(without(removals, "b").changes_order());
        CHECK(describe(without(removals, "b")) == "c, a (unchanged)");
        CHECK(describe(without(removals, "b"), " > ") == "c > a (unchanged)");
    }

    TEST_CASE("order: leaving out what set a relation aside turns the others round") {
        // b before a gives way to a before x before b; without x nothing opposes it.
        Request request = plain({"a", "b", "x"});
        request.user_edges = {user_edge("a", "x", Strength::Hard),
                              user_edge("x", "b", Strength::Hard)};
        request.known[1].before = {relation("a", Strength::Soft)};
        // "x" stands under another label, so that nothing is inferred through it.
        request.selected[2].label = "mine";
        request.user_edges = {user_edge("a", "mine", Strength::Hard),
                              user_edge("mine", "b", Strength::Hard)};
        REQUIRE(derive_order(request).sequence == Names{"a", "mine", "b"});
        const Removal removal = without(removals_of(request), "mine");
        CHECK(removal.sequence == Names{"b", "a"});
        CHECK(removal.turned == std::vector<LabelPair>{{"a", "b"}});
        CHECK(describe(removal) == "b, a (turned round: a and b)");
    }

    TEST_CASE("order: relations that only held through a technique are told as lost") {
        Request request = plain({"a", "b", "x"});
        request.selected[2].label = "mine";
        request.user_edges = {user_edge("a", "mine"), user_edge("mine", "b")};
        const Removal removal = without(removals_of(request), "mine");
        CHECK(removal.freed == std::vector<LabelPair>{{"a", "b"}});
        CHECK(describe(removal) == "a, b (unchanged; nothing relates any more: a and b)");
    }

    TEST_CASE("order: leaving out what another requires is refused with the reason") {
        Request request = plain({"a", "b"});
        request.known[1].requires_ = {"a"};
        const Removal removal = without(removals_of(request), "a");
        CHECK(removal.sequence.empty());
        CHECK(contains(removal.refusal, "'b'"));
        CHECK(contains(removal.refusal, "'a'"));
        CHECK(describe(removal) == "refused: " + removal.refusal);
    }

    TEST_CASE("order: a forced order stays forced without one of its techniques") {
        Request request = plain({"a", "b", "c"});
        request.forced = Names{"c", "b", "a"};
        CHECK(without(removals_of(request), "b").sequence == Names{"c", "a"});
    }

    TEST_CASE("order: the only technique leaves nothing, and too many are not tried") {
        CHECK(describe(removals_of(plain({"a"})).front()) == "nothing is left to do");
        Names ids;
        for (std::size_t i = 0; i <= kMostRemovals; ++i) {
            ids.push_back("t" + std::to_string(i));
        }
        const Request request = plain(ids);
        CHECK_FALSE(find_removals(request, derive_order(request)));
        ids.pop_back();
        const auto removals = removals_of(plain(ids));
        CHECK(removals.size() == kMostRemovals);
        CHECK(describe(removals.front()) == "the other 23 as they are (unchanged)");
    }
}
