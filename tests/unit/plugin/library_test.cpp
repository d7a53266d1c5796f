// Loading: what is refused once the library is open, and the life of a technique.
#include "plugin/library.hpp"

#include "support.hpp"

#include <doctest/doctest.h>

#include <cfloat>
#include <cstring>

using namespace topress;
using namespace topress::plugin;
using namespace topress::plugin::test;

namespace {

Library load(const std::string& name) {
    const CatalogEntry entry = examine_plugin(fixture(name), fixture_host_fingerprint());
    REQUIRE(entry.is_active());
    return Library::load(entry, fixture_host(), fixture_host_fingerprint());
}

std::string load_code(const std::string& name) {
    try {
        (void)load(name);
    } catch (const Error& error) {
        CHECK(error.where().find(name == "init_fails" ? "probe" : name) != std::string::npos);
        CHECK_FALSE(error.hint().empty());
        return error.code();
    }
    return {};
}

config::Parameters factor(double value) {
    return {{"factor", config::GivenParameter{value, {}, {}}}};
}

topress_stage empty_stage() {
    topress_stage stage{};
    stage.struct_size = sizeof(stage);
    stage.label = "label";
    stage.device = "cpu";
    return stage;
}

// A technique linked into this program that remembers its parameters as text.
std::string remembered;

void remember(const topress_value& value) {
    remembered += std::string(value.name) + "=";
    switch (value.type) {
        case TOPRESS_TYPE_BOOL:
        case TOPRESS_TYPE_INTEGER:
            remembered += std::to_string(value.integer);
            break;
        case TOPRESS_TYPE_NUMBER:
            remembered += std::to_string(value.number);
            break;
        case TOPRESS_TYPE_STRING:
            remembered += value.string;
            break;
        default:
            for (std::uint64_t i = 0; i < value.count; ++i) {
                remembered +=
                    value.type == TOPRESS_TYPE_INTEGER_LIST  ? std::to_string(value.integers[i])
                    : value.type == TOPRESS_TYPE_NUMBER_LIST ? std::to_string(value.numbers[i])
                                                             : std::string(value.strings[i]);
                remembered += ",";
            }
    }
    remembered += " ";
}

int alive = 0;

const topress_techniques_v1 kRemembering = {
    sizeof(topress_techniques_v1),
    [](const char*, topress_technique** out, topress_error*) -> topress_status {
        *out = reinterpret_cast<topress_technique*>(&alive);
        ++alive;
        return TOPRESS_OK;
    },
    [](topress_technique*) { --alive; },
    [](topress_technique*, const topress_value* values, std::uint64_t count, topress_error*)
        -> topress_status {
        for (std::uint64_t i = 0; i < count; ++i) {
            remember(values[i]);
        }
        return TOPRESS_OK;
    },
    [](topress_technique*, const topress_stage*, topress_error* error) -> topress_status {
        std::memset(error->message, 'x', sizeof(error->message));
        return TOPRESS_ERROR_FAILED;
    }};

}  // namespace

TEST_CASE("library: a good plugin loads, is configured and applied") {
    const Library library = load("good");
    CHECK(library.plugin_id() == "org.topress.fixture.good");
    TechniqueObject technique(library, "fixture.good");
    technique.configure(factor(0.5));
    technique.apply(empty_stage());
    library.quiesce();
}

TEST_CASE("library: a plugin that is loaded twice is initialised once") {
    const Library first = load("good");
    const Library second = load("good");
    CHECK(&first.techniques() == &second.techniques());
}

TEST_CASE("library: what only shows once it is open is refused by its code") {
    CHECK(load_code("flush_to_zero") == "plugin/changes-float-mode");
    CHECK(load_code("metadata_differs") == "plugin/metadata-mismatch");
    CHECK(load_code("init_fails") == "plugin/init-failed");
    CHECK(load_code("no_techniques") == "plugin/missing-interface");
}

TEST_CASE("library: the entry is checked again in the opened library") {
    const auto code = [](const char* name) -> std::string {
        CatalogEntry entry = examine_plugin(fixture(name), fixture_host_fingerprint());
        CHECK(entry.verdict == Verdict::Refused);
        entry.verdict = Verdict::Loadable;
        try {
            (void)Library::load(entry, fixture_host(), fixture_host_fingerprint());
        } catch (const Error& error) {
            return error.code();
        }
        return {};
    };
    CHECK(code("missing_symbol") == "plugin/missing-symbol");
    CHECK(code("bad_magic") == "plugin/bad-entry");
    CHECK(code("small_entry") == "plugin/bad-entry");
}

TEST_CASE("library: an undefined symbol shows at loading, in the loader's words") {
    try {
        (void)load("undefined_symbol");
        FAIL("it was loaded");
    } catch (const Error& error) {
        CHECK(error.code() == "plugin/cannot-load");
        CHECK(std::string(error.what())
                  .find("undefined symbol: topress_fixture_function_of_nobody") !=
              std::string::npos);
        CHECK(std::string(error.what()).find("Bad file descriptor") == std::string::npos);
        CHECK(error.where() == fixture("undefined_symbol").string());
    }
}

TEST_CASE("library: the gates are checked again against the opened library") {
    const CatalogEntry entry = examine_plugin(fixture("good"), fixture_host_fingerprint());
    topress_fingerprint other = fixture_host_fingerprint();
    other.size_of_string = 8;
    try {
        (void)Library::load(entry, fixture_host(), other);
        FAIL("it was loaded");
    } catch (const Error& error) {
        CHECK(error.code() == "plugin/fingerprint-mismatch");
    }
}

TEST_CASE("library: a refused entry is not opened") {
    const CatalogEntry entry = examine_plugin(fixture("wrong_major"), fixture_host_fingerprint());
    CHECK_THROWS_AS((void)Library::load(entry, fixture_host(), fixture_host_fingerprint()),
                    DiagnosticError);
}

TEST_CASE("library: a library linked with fast-math leaves the host's arithmetic alone") {
    const volatile double smallest = DBL_MIN;
    REQUIRE(smallest / 2 != 0.0);
    CHECK(load_code("flush_to_zero") == "plugin/changes-float-mode");
    CHECK(smallest / 2 != 0.0);
}

TEST_CASE(
    "library: what opening or starting one did wrong is not forgotten when it is asked for again") {
    for (const char* name : {"flush_to_zero", "init_fails"}) {
        const std::string first = load_code(name);
        CHECK_FALSE(first.empty());
        CHECK(load_code(name) == first);
    }
}

TEST_CASE("technique: an unknown id is plugin/create-failed") {
    const Library library = load("good");
    try {
        const TechniqueObject technique(library, "fixture.other");
        FAIL("it was made");
    } catch (const Error& error) {
        CHECK(error.code() == "plugin/create-failed");
        CHECK(std::string(error.what()) == "fixture.other: no such technique");
    }
}

TEST_CASE("technique: a failed configure names technique, reason and place") {
    const Library library = load("fails_in_configure");
    TechniqueObject technique(library, "fixture.fails-in-configure");
    try {
        technique.configure(factor(1));
        FAIL("it was accepted");
    } catch (const Error& error) {
        CHECK(error.code() == "plugin/configure-failed");
        CHECK(std::string(error.what()) == "fixture.fails-in-configure: factor does not suit");
        CHECK(error.where() == "factor");
    }
}

TEST_CASE("technique: a failed apply names technique, reason and place") {
    const Library library = load("fails_in_apply");
    TechniqueObject technique(library, "fixture.fails-in-apply");
    technique.configure(factor(1));
    try {
        technique.apply(empty_stage());
        FAIL("it went well");
    } catch (const Error& error) {
        CHECK(error.code() == "plugin/apply-failed");
        CHECK(std::string(error.what()) == "fixture.fails-in-apply: stopped half-way");
        CHECK(error.where() == "layer3.conv1");
    }
}

TEST_CASE("technique: a cancelled apply is run/interrupted") {
    const Library library = load("cancels_in_apply");
    TechniqueObject technique(library, "fixture.cancels-in-apply");
    technique.configure(factor(1));
    try {
        technique.apply(empty_stage());
        FAIL("it went well");
    } catch (const Error& error) {
        CHECK(error.code() == "run/interrupted");
    }
}

TEST_CASE("technique: parameters of every type arrive as they were") {
    remembered.clear();
    TechniqueObject technique(kRemembering, "any");
    technique.configure({{"a_bool", {true, {}, {}}},
                         {"b_integer", {std::int64_t{-7}, {}, {}}},
                         {"c_number", {0.25, {}, {}}},
                         {"d_string", {std::string("text"), {}, {}}},
                         {"e_integers", {std::vector<std::int64_t>{1, 2}, {}, {}}},
                         {"f_numbers", {std::vector<double>{0.5}, {}, {}}},
                         {"g_strings", {std::vector<std::string>{"x", "yz"}, {}, {}}},
                         {"h_strings", {std::vector<std::string>{}, {}, {}}}});
    CHECK(remembered ==
          "a_bool=1 b_integer=-7 c_number=0.250000 d_string=text e_integers=1,2, "
          "f_numbers=0.500000, g_strings=x,yz, h_strings= ");
}

TEST_CASE("technique: it is destroyed once, also after a move") {
    REQUIRE(alive == 0);
    {
        TechniqueObject first(kRemembering, "any");
        TechniqueObject second(std::move(first));
        TechniqueObject third(kRemembering, "other");
        third = std::move(second);
        CHECK(third.technique_id() == "any");
        CHECK(alive == 2);
    }
    CHECK(alive == 0);
}

TEST_CASE("technique: a message without a terminating zero stays within its field") {
    TechniqueObject technique(kRemembering, "any");
    try {
        technique.apply(empty_stage());
        FAIL("it went well");
    } catch (const Error& error) {
        CHECK(std::string(error.what()) ==
              "any: " + std::string(sizeof(topress_error::message), 'x'));
    }
}
