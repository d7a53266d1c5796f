// A plugin written with the C++ SDK under a real host fingerprint: parameters, exceptions, init.
#include "plugin/host_fingerprint.hpp"
#include "plugin/library.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

#include <cstring>

using namespace topress;
using namespace topress::plugin;
using namespace topress::plugin::test;

namespace {

CatalogEntry examine() {
    return examine_plugin(binary_folder() / "fixtures/sdk_plugins/fixture_throws.so",
                          host_fingerprint());
}

const Library& library() {
    static const Library kLibrary = Library::load(examine(), fixture_host(), host_fingerprint());
    return kLibrary;
}

const TechniqueMetadata& metadata_of(const CatalogEntry& entry, const std::string& id) {
    for (const TechniqueMetadata& technique : entry.metadata->techniques) {
        if (technique.id == id) {
            return technique;
        }
    }
    FAIL("no such technique");
    return entry.metadata->techniques.front();
}

config::Parameters defaults_of(const std::string& id) {
    static const CatalogEntry kEntry = examine();
    return config::fill_defaults({}, metadata_of(kEntry, id).parameters);
}

struct Outcome {
    std::string code;
    std::string message;
    std::string where;
};

template <class Action>
Outcome outcome_of(Action action) {
    try {
        action();
    } catch (const Error& error) {
        return {error.code(), error.what(), error.where()};
    }
    return {};
}

Outcome apply_throwing(const std::string& what) {
    TechniqueObject technique(library(), "fixture.throws-in-apply");
    config::Parameters parameters = defaults_of("fixture.throws-in-apply");
    parameters["what"].value = what;
    technique.configure(parameters);
    topress_stage stage{};
    stage.struct_size = sizeof(stage);
    stage.label = "label";
    stage.device = "cpu";
    return outcome_of([&] { technique.apply(stage); });
}

}  // namespace

TEST_CASE("sdk: a plugin of this build passes all gates") {
    const CatalogEntry entry = examine();
    CHECK_MESSAGE(entry.is_active(), render(entry.refusal));
    CHECK(entry.metadata->techniques.size() == 3);
}

TEST_CASE("sdk: the fingerprint describes this build") {
    const topress_fingerprint& fingerprint = host_fingerprint();
    CHECK(fingerprint.struct_size == sizeof(topress_fingerprint));
    CHECK(fingerprint.size_of_string == sizeof(std::string));
    CHECK(std::strlen(fingerprint.torch_version) >= 5);
    CHECK(std::string(fingerprint.standard_library).starts_with("lib"));
}

TEST_CASE("sdk: a C fixture of another build is refused by the real host") {
    CHECK(examine_plugin(fixture("good"), host_fingerprint()).refusal.code ==
          "plugin/fingerprint-mismatch");
}

TEST_CASE("sdk: parameters of every type reach the technique") {
    TechniqueObject technique(library(), "fixture.reads-parameters");
    CHECK_NOTHROW(technique.configure(defaults_of("fixture.reads-parameters")));
}

TEST_CASE("sdk: init ran before the techniques") {
    TechniqueObject technique(library(), "fixture.reads-parameters");
    topress_stage stage{};
    stage.struct_size = sizeof(stage);
    stage.label = "label";
    stage.device = "cpu";
    CHECK(outcome_of([&] { technique.apply(stage); }).message ==
          "fixture.reads-parameters: started");
}

TEST_CASE("sdk: reading a parameter that does not exist fails the configuration") {
    TechniqueObject technique(library(), "fixture.throws-in-configure");
    const Outcome outcome = outcome_of([&] { technique.configure({}); });
    CHECK(outcome.code == "plugin/configure-failed");
    CHECK(outcome.message == "fixture.throws-in-configure: no parameter 'no_such_parameter'");
    CHECK(outcome.where == "no_such_parameter");
}

TEST_CASE("sdk: a PluginError keeps its place") {
    const Outcome outcome = apply_throwing("plugin-error");
    CHECK(outcome.code == "plugin/apply-failed");
    CHECK(outcome.message == "fixture.throws-in-apply: no room for it");
    CHECK(outcome.where == "stem.conv");
}

TEST_CASE("sdk: of any other exception the first line is told") {
    CHECK(apply_throwing("standard").message == "fixture.throws-in-apply: first line");
    const std::string tensor = apply_throwing("tensor").message;
    CHECK(tensor.find("shapes do not agree") != std::string::npos);
    CHECK(tensor.find('\n') == std::string::npos);
    CHECK(apply_throwing("number").message ==
          "fixture.throws-in-apply: an exception of unknown type was thrown");
}

TEST_CASE("sdk: a cancellation is an interruption") {
    CHECK(apply_throwing("cancel").code == "run/interrupted");
}

TEST_CASE("sdk: an unknown technique id is plugin/create-failed") {
    const Outcome outcome =
        outcome_of([] { const TechniqueObject technique(library(), "fixture.nothing"); });
    CHECK(outcome.code == "plugin/create-failed");
    CHECK(outcome.message == "fixture.nothing: no technique 'fixture.nothing'");
}
