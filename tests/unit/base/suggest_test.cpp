// Facts about did-you-mean.
#include "base/suggest.hpp"

#include <doctest/doctest.h>

using topress::nearest;
using topress::similarity;

TEST_CASE("suggest: similarity counts edits over the longer length") {
    CHECK(similarity("", "") == 1.0);
    CHECK(similarity("depth", "depth") == 1.0);
    CHECK(similarity("", "depth") == 0.0);
    CHECK(similarity("depth", "width") == doctest::Approx(1.0 - 3.0 / 5.0));  // d-w, e-i, p-d
    CHECK(similarity("sgd", "sgdm") == doctest::Approx(0.75));
    CHECK(similarity("abc", "xyz") == 0.0);
}

TEST_CASE("suggest: a swap of neighbours is one edit") {
    CHECK(similarity("dpeth", "depth") == doctest::Approx(0.8));
    CHECK(similarity("ab", "ba") == doctest::Approx(0.5));
}

TEST_CASE("suggest: similarity is symmetric") {
    CHECK(similarity("learning_rate", "lerning_rat") == similarity("lerning_rat", "learning_rate"));
}

TEST_CASE("suggest: the nearest candidate is found and ties keep the earlier one") {
    CHECK(nearest("dpeth", {"width", "depth"}) == "depth");
    CHECK(nearest("aab", {"aaa", "bab"}) == "aaa");
    CHECK(nearest("aab", {"bab", "aaa"}) == "bab");
}

TEST_CASE("suggest: nothing is suggested below the limit") {
    CHECK_FALSE(nearest("momentum", {"depth", "width"}).has_value());
    CHECK_FALSE(nearest("depth", {}).has_value());
    CHECK_FALSE(nearest("depht", {"depth"}, 0.9).has_value());
    CHECK(nearest("depht", {"depth"}, 0.8) == "depth");
}
