// The loader under damaged files: it throws Error{network/bad-file} or gives a network that is
// whole.
#include "network/cost.hpp"
#include "network/operators.hpp"
#include "network/serialize.hpp"
#include "unit/network/networks.hpp"

#include <random>

using namespace topress;
using test::Network;

namespace {

using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t limit) {
    return random() % limit;
}

/// One damage: flipped bits, a changed digit, a cut, a doubled or swapped stretch.
void damage(std::string& bytes, std::size_t range, Random& random) {
    const std::size_t at = below(random, range);
    switch (below(random, 6)) {
        case 0:
            bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(random, 8)));
            break;
        case 1:
            bytes[at] = static_cast<char>('0' + below(random, 10));
            break;
        case 2:
            bytes.resize(at);
            break;
        case 3:
            bytes.insert(at, bytes.substr(at, below(random, 40)));
            break;
        case 4:
            bytes.erase(at, below(random, 40));
            break;
        default:
            std::swap(bytes[at], bytes[below(random, range)]);
    }
}

/// True when the file was refused; otherwise uses everything the network offers.
bool is_refused(const std::string& bytes) {
    try {
        const Network net = network::from_bytes(bytes, "fuzz");
        static_cast<void>(network::infer_shapes(net));
        static_cast<void>(network::cost_of(net));
        static_cast<void>(network::from_bytes(network::to_bytes(net), "again"));
        return false;
    } catch (const Error& error) {
        CHECK(error.code() == "network/bad-file");
        return true;
    }
}

std::string base_file() {
    Network net = test::tiny_network();
    test::quantize_input(net, "l", 1, 4, true);
    net.add_exit({"end", "l.out", "max-probability", 0.5});
    return network::to_bytes(net);
}

}  // namespace

TEST_SUITE("network") {
    TEST_CASE("serialize: 500 damaged headers never crash the loader") {
        const std::string good = base_file();
        std::uint64_t header = 0;
        std::memcpy(&header, good.data(), sizeof(header));
        int refused = 0;
        for (std::uint64_t seed = 0; seed < 500; ++seed) {
            CAPTURE(seed);
            Random random(seed);
            std::string bytes = good;
            const std::size_t count = 1 + below(random, 3);
            for (std::size_t i = 0; i < count && !bytes.empty(); ++i) {
                damage(bytes, std::min<std::size_t>(bytes.size(), header + 8), random);
            }
            refused += is_refused(bytes) ? 1 : 0;
        }
        CHECK(refused > 100);
        CHECK(refused < 500);  // some damage is harmless: the other outcome is exercised too
    }

    TEST_CASE("serialize: damaged graphs inside an intact container never crash the loader") {
        const std::string good = base_file();
        const std::size_t begin = good.find("topress.graph");
        const std::size_t end = good.find("}\"", begin);
        REQUIRE(end != std::string::npos);
        int refused = 0;
        for (std::uint64_t seed = 0; seed < 500; ++seed) {
            CAPTURE(seed);
            Random random(seed + 1000);
            std::string bytes = good;
            for (int i = 0; i < 2; ++i) {
                // One character for another keeps every length of the container.
                const std::size_t at = begin + 16 + below(random, end - begin - 16);
                const char alphabet[] = "0123456789-.xyclrpf\",:[]{}";
                bytes[at] = alphabet[below(random, sizeof(alphabet) - 1)];
            }
            refused += is_refused(bytes) ? 1 : 0;
        }
        CHECK(refused > 100);
        CHECK(refused < 500);
    }
}
