// Facts about content hashes.
#include "base/hash.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>

using topress::hash_bytes;
using topress::Hasher;

TEST_CASE("hash: the empty string has the hash that XXH3 with 128 bits publishes") {
    CHECK(hash_bytes("", 0) == "99aa06d3014798d86001c324468d497f");
}

TEST_CASE("hash: one changed bit changes the hash") {
    CHECK(hash_bytes("topress", 7) != hash_bytes("toprest", 7));
}

TEST_CASE("hash: pieces give the hash of the whole") {
    const std::string text(100000, 'x');
    Hasher hasher;
    hasher.add(text.data(), 1).add(text.data(), 64).add(text.data(), text.size() - 65);
    CHECK(hasher.hex() == hash_bytes(text.data(), text.size()));
}

TEST_CASE("hash: texts are kept apart") {
    Hasher one;
    Hasher other;
    one.add("ab").add("c");
    other.add("a").add("bc");
    CHECK(one.hex() != other.hex());
}

TEST_CASE("hash: reading the hash does not end the hashing") {
    Hasher hasher;
    hasher.add("a", 1);
    CHECK(hasher.hex() == hash_bytes("a", 1));
    hasher.add("b", 1);
    CHECK(hasher.hex() == hash_bytes("ab", 2));
    const Hasher moved = std::move(hasher);
    CHECK(moved.hex() == hash_bytes("ab", 2));
}
