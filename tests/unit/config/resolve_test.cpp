// Facts about short technique names.
#include "config/resolve.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using topress::config::explain_unresolved;
using topress::config::resolve_technique;

namespace {

const std::vector<std::string> kIds = {
    "pruning.channel", "acme.pruning.filter", "other.filter", "distillation.student", "plain"};

}  // namespace

TEST_CASE("resolve: a full id means itself") {
    CHECK(resolve_technique("pruning.channel", kIds) == "pruning.channel");
    CHECK(resolve_technique("plain", kIds) == "plain");
    CHECK(resolve_technique("channel", {"channel", "pruning.channel"}) == "channel");
}

TEST_CASE("resolve: a short name means the only id that ends in it") {
    CHECK(resolve_technique("student", kIds) == "distillation.student");
    CHECK_FALSE(resolve_technique("filter", kIds).has_value());
    CHECK_FALSE(resolve_technique("hannel", kIds).has_value());
    CHECK_FALSE(resolve_technique("pruning.filter", kIds).has_value());
    CHECK_FALSE(resolve_technique("", kIds).has_value());
}

TEST_CASE("resolve: several candidates are listed") {
    const auto found = explain_unresolved("filter", kIds, {"a.toml", 3, 7, 8});
    CHECK(found.code == "config/ambiguous-technique");
    CHECK(found.message ==
          "the technique 'filter' may mean 2 techniques: acme.pruning.filter, other.filter");
    CHECK(found.hint == "write the full id: use = \"acme.pruning.filter\"");
    CHECK(found.location.line == 3);
}

TEST_CASE("resolve: an unknown name comes with the nearest id") {
    const auto nearest_hint = [](const char* name) {
        const auto found = explain_unresolved(name, kIds, {});
        CHECK(found.code == "config/unknown-technique");
        return found.hint.substr(0, found.hint.find('?'));
    };
    CHECK(nearest_hint("chanel") == "did you mean 'pruning.channel'");
    CHECK(nearest_hint("prunning.chanel") == "did you mean 'pruning.channel'");
    CHECK(nearest_hint("studnet") == "did you mean 'distillation.student'");
    CHECK(explain_unresolved("zzz", kIds, {}).hint.starts_with("installed: acme.pruning.filter, "));
    CHECK(explain_unresolved("zzz", {}, {}).hint ==
          "no technique is installed: check the plugin folders");
}
