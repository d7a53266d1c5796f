// Facts about tables in wrong places, keys in wrong sections, and labels.
#include "loading.hpp"

#include <doctest/doctest.h>

#include <string>

TEST_CASE("structure: unknown sections are named with the nearest") {
    const auto result = load_text(kNeeded + "[tarin]\nbatch_size = 3\n");
    REQUIRE(found_in(result) == Found{"config/unknown-key 6:2"});
    CHECK(result.diagnostics[0].hint.starts_with("did you mean 'train'?"));
}

TEST_CASE("structure: a key of another section is sent there") {
    const auto result =
        load_text("schema = 1\nbatch_size = 3\n" + kNeeded.substr(11) + "device = \"cpu\"\n");
    REQUIRE(found_in(result) == Found{"config/unknown-key 2:1", "config/unknown-key 7:1"});
    CHECK(result.diagnostics[0].hint == "it belongs to [train]: move it there");
    CHECK(result.diagnostics[1].hint ==
          "it belongs to the top level: move it above the first table");
}

TEST_CASE("structure: tables and values in the place of each other") {
    CHECK(found_in(load_text("schema = 1\ntrain = 3\n" + kNeeded.substr(11))) ==
          Found{"config/wrong-type 2:1"});
    CHECK(found_in(load_text(kNeeded + "[seed]\n")) == Found{"config/wrong-type 6:2"});
    CHECK(found_in(load_text(kNeeded + "[train.momentum]\n")) == Found{"config/wrong-type 6:8"});
    CHECK(found_in(load_text(kNeeded + "[train.other]\n")) == Found{"config/unknown-key 6:8"});
    CHECK(found_in(load_text(kNeeded + "[[train]]\n")) == Found{"config/wrong-type 6:1"});
    CHECK(found_in(load_text(kNeeded + "[[other]]\n")) == Found{"config/unknown-key 6:1"});
    CHECK(found_in(load_text(kNeeded + "[order]\nedge = 3\n")) == Found{"config/wrong-type 7:1"});
    CHECK(found_in(load_text(kNeeded + "[order.edge]\n")) == Found{"config/wrong-type 6:8"});
    CHECK(found_in(load_text(kNeeded + "[technique]\nqat = 3\n")) ==
          Found{"config/wrong-type 7:1"});
    CHECK(found_in(load_text(kNeeded + "[[technique]]\n")) == Found{"config/wrong-type 6:1"});
    CHECK(found_in(load_text(kNeeded + "[[technique.x]]\n")) == Found{"config/wrong-type 6:1"});
    CHECK(found_in(load_text(kNeeded + "[technique.x.y]\n")) == Found{"config/wrong-type 6:14"});
}

TEST_CASE("structure: values of kinds that nothing accepts") {
    CHECK(found_in(load_text(kNeeded + "[technique.x]\na = 2024-01-01\nb = [1, \"2\"]\n")) ==
          Found{"config/wrong-type 7:5", "config/wrong-type 8:5"});
}

TEST_CASE("structure: inline tables count as tables") {
    const auto result = load_text(
        "schema = 1\n"
        "model = { architecture = \"vgg\", depth = 11 }\n"
        "data = { dataset = \"mnist\" }\n"
        "technique.a.use = \"x.y\"\n");
    REQUIRE(found_in(result) == Found{});
    CHECK(result.config.model.depth == 11);
    CHECK(result.config.techniques.at(0).use == "x.y");
}

TEST_CASE("structure: labels are safe as file names") {
    CHECK(load_text(kNeeded + "[technique.\"pruning.channel\"]\n").ok());
    CHECK(load_text(kNeeded + "[technique.a-b_2]\n").ok());
    for (const std::string label : {"", "a/b", "..", ".x", "a b", "\xc3\xa4", "baseline"}) {
        CAPTURE(label);
        CHECK(found_in(load_text(kNeeded + "[technique.\"" + label + "\"]\n")) ==
              Found{"config/invalid-value 6:12"});
    }
    CHECK_FALSE(load_text(kNeeded + "[technique." + std::string(65, 'x') + "]\n").ok());
}
