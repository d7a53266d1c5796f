// Reading rule files: chains, scopes, what follows, and every mistake with its place.
#include "order/rules.hpp"

#include "base/files.hpp"
#include "builders.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>

using namespace topress::order;
using namespace topress::order::testing;

namespace {

/// A rule file in the build tree for as long as the object lives.
class RuleFile {
  public:
    RuleFile(const std::string& name, const std::string& text) {
        const char* root = std::getenv("TOPRESS_TEST_BINARY_DIR");
        path_ = std::filesystem::path(root == nullptr ? "." : root) / ("rules_" + name + ".toml");
        std::ofstream(path_, std::ios::binary) << text;
    }

    ~RuleFile() {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }

    RuleFile(const RuleFile&) = delete;
    RuleFile& operator=(const RuleFile&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

RuleSet load(const std::string& name, const std::string& text) {
    const RuleFile file(name, text);
    return load_rules(file.path());
}

Diagnostics load_failure(const std::string& name, const std::string& text) {
    const RuleFile file(name, text);
    try {
        static_cast<void>(load_rules(file.path()));
    } catch (const topress::DiagnosticError& error) {
        return error.diagnostics();
    }
    return {};
}

bool has_rule(const RuleSet& set,
              const std::string& before,
              const std::string& after,
              const std::string& among = "") {
    return std::any_of(set.rules.begin(), set.rules.end(), [&](const Rule& rule) {
        return rule.before == before && rule.after == after && rule.among == among;
    });
}

}  // namespace

TEST_SUITE("order") {
    TEST_CASE("rules: the shipped file loads with a name and a summary and reasons") {
        const RuleSet set = load_rules(source_path("configs/rules/order-of-compression.toml"));
        CHECK(set.name == "order-of-compression");
        CHECK_FALSE(set.summary.empty());
        CHECK(has_rule(set, "kind:static", "kind:dynamic"));
        CHECK(has_rule(set, "granularity:architecture", "granularity:bit", "kind:static"));
        CHECK(has_rule(set, "granularity:layer", "granularity:channel", "kind:static"));
        CHECK(set.rules.size() == 1 + 10);
        for (const Rule& rule : set.rules) {
            CHECK_FALSE(rule.reason.empty());
            CHECK_FALSE(rule.source.empty());
            CHECK(rule.where.line > 0);
            CHECK(rule.where.declared_by == "order-of-compression");
        }
    }

    TEST_CASE("rules: the example of the documentation loads") {
        const std::string page = topress::read_file(source_path("docs/ordering.md"));
        const auto begin = page.find("```toml\nschema = 1\n");
        REQUIRE(begin != std::string::npos);
        const auto end = page.find("\n```", begin + 1);
        const RuleSet set = load("documentation", page.substr(begin + 8, end - begin - 7));
        CHECK(set.name == "house-rules");
        CHECK(set.rules.size() > 3);
    }

    TEST_CASE("rules: a chain yields every earlier and later pair") {
        const RuleSet set = load("chain", R"(schema = 1
[[rule]]
chain = ["granularity:layer", "granularity:weight", "granularity:bit"]
reason = "coarse first"
)");
        CHECK(set.rules.size() == 3);
        CHECK(has_rule(set, "granularity:layer", "granularity:bit"));
        CHECK(set.name == "rules_chain");
    }

    TEST_CASE("rules: separate rules over one trait are transitive") {
        const RuleSet set = load("transitive", R"(schema = 1
[[rule]]
before = "granularity:weight"
after = "granularity:bit"
reason = "second"
[[rule]]
before = "granularity:layer"
after = "granularity:weight"
reason = "first"
)");
        REQUIRE(set.rules.size() == 3);
        CHECK(has_rule(set, "granularity:layer", "granularity:bit"));
        CHECK(set.rules[2].reason == "first; second");
    }

    TEST_CASE("rules: nothing follows across different traits or scopes") {
        const RuleSet set = load("apart", R"(schema = 1
[[rule]]
before = "granularity:bit"
after = "kind:dynamic"
reason = "r"
[[rule]]
before = "kind:dynamic"
after = "granularity:layer"
reason = "r"
[[rule]]
before = "granularity:layer"
after = "granularity:weight"
among = "kind:static"
reason = "r"
[[rule]]
before = "granularity:weight"
after = "granularity:bit"
among = "kind:dynamic"
reason = "r"
)");
        CHECK(set.rules.size() == 4);
    }

    TEST_CASE("rules: lists of ends and scopes multiply") {
        const RuleSet set = load("lists", R"(schema = 1
[[rule]]
before = ["a.b", "capability:c"]
after = "d.e"
among = ["kind:static", "kind:dynamic"]
reason = "r"
)");
        CHECK(set.rules.size() == 4);
        CHECK(has_rule(set, "capability:c", "d.e", "kind:dynamic"));
    }

    TEST_CASE("rules: a scope limits a rule to techniques that match it") {
        RuleSet set{"r", "", {}};
        set.rules.push_back({"granularity:bit",
                             "granularity:layer",
                             "kind:static",
                             "r",
                             "",
                             {Origin::RuleSet, "r", "", 0, 0}});
        Request request;
        request.known = {technique("a", "static", "layer"), technique("b", "dynamic", "bit")};
        request.selected = {instance("a"), instance("b")};
        request.rules = {set};
        CHECK(derive_order(request).edges.empty());
        std::swap(request.known[0].kind, request.known[1].kind);
        CHECK(derive_order(request).edges.empty());
        request.known[0].kind = "static";
        CHECK(derive_order(request).sequence == Names{"b", "a"});
    }

    TEST_CASE(
        "rules: a rule that nearly names a known trait is reported when an order is derived") {
        Request request = plain({"a"});
        RuleSet set{"r", "", {}};
        set.rules.push_back({"granularity:chanel",
                             "x.unheard",
                             "",
                             "r",
                             "",
                             {Origin::RuleSet, "r", "r.toml", 2, 1}});
        request.rules = {set};
        const auto found = with_code(derive_order(request).diagnostics, "order/unknown-reference");
        REQUIRE(found.size() == 1);
        CHECK(contains(found[0].hint, "'granularity:channel'"));
    }

    TEST_CASE("rules: every mistake has its code and its place") {
        struct Mistake {
            const char* name;
            const char* text;
            const char* code;
            int line;
        };

        const std::vector<Mistake> mistakes = {
            {"syntax", "schema = 1\nname = \n", "config/syntax", 2},
            {"schema_missing",
             "[[rule]]\nbefore = 'a.b'\nafter = 'c.d'\nreason = 'r'\n",
             "config/missing-key",
             1},
            {"schema_other",
             "schema = 2\n[[rule]]\nbefore = 'a.b'\nafter = 'c.d'\nreason = 'r'\n",
             "config/unsupported-schema",
             1},
            {"no_rules", "schema = 1\n", "config/missing-key", 1},
            {"not_tables", "schema = 1\nrule = [1]\n", "config/wrong-type", 2},
            {"no_reason",
             "schema = 1\n[[rule]]\nbefore = 'a.b'\nafter = 'c.d'\n",
             "config/missing-key",
             2},
            {"no_end",
             "schema = 1\n[[rule]]\nbefore = 'a.b'\nreason = 'r'\n",
             "config/missing-key",
             2},
            {"short_chain",
             "schema = 1\n[[rule]]\nchain = ['a.b']\nreason = 'r'\n",
             "config/missing-key",
             2},
            {"both_forms",
             "schema = 1\n[[rule]]\nchain = ['a.b', 'c.d']\nbefore = 'e.f'\nreason = 'r'\n",
             "config/missing-key",
             2},
            {"unknown_key",
             "schema = 1\n[[rule]]\nbefor = 'e.f'\nbefore = 'a.b'\nafter = 'c.d'\nreason = 'r'\n",
             "config/unknown-key",
             3},
            {"wrong_type",
             "schema = 1\n[[rule]]\nbefore = 'a.b'\nafter = 'c.d'\nreason = 3\n",
             "config/wrong-type",
             5},
            {"wrong_element",
             "schema = 1\n[[rule]]\nchain = ['a.b', 3, 'c.d']\nreason = 'r'\n",
             "config/wrong-type",
             3},
            {"bad_kind",
             "schema = 1\n[[rule]]\nbefore = 'kind:statik'\nafter = 'c.d'\nreason = 'r'\n",
             "config/invalid-value",
             3},
            {"bad_prefix",
             "schema = 1\n[[rule]]\nbefore = 'grain:bit'\nafter = 'c.d'\nreason = 'r'\n",
             "config/invalid-value",
             3},
            {"itself",
             "schema = 1\n[[rule]]\nbefore = 'c.d'\nafter = 'c.d'\nreason = 'r'\n",
             "config/invalid-value",
             2},
        };
        for (const Mistake& mistake : mistakes) {
            CAPTURE(mistake.name);
            const auto found = load_failure(mistake.name, mistake.text);
            REQUIRE(found.size() == 1);
            CHECK(found[0].code == mistake.code);
            CHECK(found[0].location.line == mistake.line);
            CHECK(found[0].location.column > 0);
            CHECK_FALSE(found[0].hint.empty());
        }
    }

    TEST_CASE("rules: all mistakes of a file are reported at once") {
        const auto found = load_failure("many", R"(schema = 1
extra = 1
[[rule]]
before = "kind:statik"
after = "c.d"
[[rule]]
befor = "x.y"
reason = "r"
)");
        CHECK(found.size() == 5);
    }

    TEST_CASE("rules: rules that contradict each other are an error also over a detour") {
        const auto found = load_failure("contradiction", R"(schema = 1
[[rule]]
chain = ["granularity:layer", "granularity:channel", "granularity:bit"]
reason = "r"
[[rule]]
before = "granularity:bit"
after = "granularity:layer"
reason = "r"
)");
        REQUIRE(found.size() == 1);
        CHECK(found[0].code == "config/contradictory-rules");
        CHECK(found[0].notes.size() == 1);
    }

    TEST_CASE("rules: a file that cannot be read is an error that names it") {
        try {
            static_cast<void>(load_rules("no/such/file.toml"));
            FAIL("no error");
        } catch (const topress::DiagnosticError& error) {
            CHECK(error.diagnostics().front().code == "config/cannot-read");
            CHECK(contains(error.diagnostics().front().message, "no/such/file.toml"));
            CHECK(error.status() == topress::ExitStatus::Configuration);
        }
    }
}
