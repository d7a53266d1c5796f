// The build gates: which differences are refused, and what the refusal says.
#include "plugin/gate.hpp"

#include "plugin/fingerprint.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

#include <cstring>

using namespace topress;
using namespace topress::plugin;
using topress::plugin::test::fixture_host_fingerprint;

TEST_CASE("gate: the same build passes") {
    const auto& host = fixture_host_fingerprint();
    CHECK_FALSE(check_build(TOPRESS_ABI_MAJOR, TOPRESS_ABI_MINOR, host, host).has_value());
}

TEST_CASE("gate: another major is refused in both directions") {
    const auto& host = fixture_host_fingerprint();
    for (const std::uint32_t major : {0U, TOPRESS_ABI_MAJOR + 1U}) {
        const auto refusal = check_build(major, 0, host, host);
        REQUIRE(refusal.has_value());
        CHECK(refusal->code == "plugin/abi-major");
        CHECK(refusal->found == "plugin ABI " + std::to_string(major) + ".0");
    }
}

TEST_CASE("gate: only a newer minor is refused") {
    const auto& host = fixture_host_fingerprint();
    const auto refusal = check_build(TOPRESS_ABI_MAJOR, TOPRESS_ABI_MINOR + 1, host, host);
    REQUIRE(refusal.has_value());
    CHECK(refusal->code == "plugin/abi-minor");
    CHECK_FALSE(check_build(TOPRESS_ABI_MAJOR, 0, host, host).has_value());
}

TEST_CASE("gate: each field of the fingerprint counts and is named") {
    const auto& host = fixture_host_fingerprint();
    const auto field_of = [&](auto change) {
        topress_fingerprint plugin = host;
        change(plugin);
        const auto differences = compare_fingerprints(plugin, host);
        REQUIRE(differences.size() == 1);
        CHECK(differences[0].found != differences[0].expected);
        CHECK(check_build(TOPRESS_ABI_MAJOR, TOPRESS_ABI_MINOR, plugin, host)->code ==
              "plugin/fingerprint-mismatch");
        return differences[0].field;
    };
    using F = topress_fingerprint;
    CHECK(field_of([](F& f) { f.struct_size -= 1; }) == "fingerprint size");
    CHECK(field_of([](F& f) { f.cxx11_abi = 0; }) == "C++11 string ABI");
    CHECK(field_of([](F& f) { f.size_of_tensor += 8; }) == "size of at::Tensor");
    CHECK(field_of([](F& f) { f.size_of_tensor_impl += 8; }) == "size of c10::TensorImpl");
    CHECK(field_of([](F& f) { f.size_of_string += 8; }) == "size of std::string");
    CHECK(field_of([](F& f) { f.size_of_shared_ptr += 8; }) == "size of std::shared_ptr");
    CHECK(field_of([](F& f) { f.torch_version[0] = '9'; }) == "LibTorch version");
    CHECK(field_of([](F& f) { std::strcpy(f.torch_flavour, "debug"); }) == "LibTorch flavour");
    CHECK(field_of([](F& f) { std::strcpy(f.standard_library, "libc++"); }) == "standard library");
}

TEST_CASE("gate: texts without a terminating zero are compared within their field") {
    const auto& host = fixture_host_fingerprint();
    topress_fingerprint plugin = host;
    std::memset(plugin.torch_version, 'a', sizeof(plugin.torch_version));
    const auto differences = compare_fingerprints(plugin, host);
    REQUIRE(differences.size() == 1);
    CHECK(differences[0].found == std::string(sizeof(plugin.torch_version), 'a'));
}

TEST_CASE("gate: a larger fingerprint of a later minor is read as far as it is known") {
    const auto& host = fixture_host_fingerprint();
    topress_fingerprint plugin = host;
    plugin.struct_size += 64;
    CHECK(compare_fingerprints(plugin, host).empty());
}
