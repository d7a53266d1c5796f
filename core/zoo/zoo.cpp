// Checks a specification, builds the family and fills its weights; and reads it back from a
// network.
#include "zoo/zoo.hpp"

#include "base/error.hpp"
#include "base/suggest.hpp"
#include "zoo/families.hpp"
#include "zoo/init.hpp"

#include <algorithm>
#include <array>

namespace topress::zoo {
namespace {

std::array<Family, 4> all_families() {
    return {resnet_family(), vgg_family(), mobilenet_family(), densenet_family()};
}

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) {
        text += (text.empty() ? "" : ", ") + name;
    }
    return text;
}

Family family_named(const std::string& name) {
    for (const Family& family : all_families()) {
        if (family.name == name) {
            return family;
        }
    }
    const auto near = nearest(name, families());
    throw Error("zoo/unknown-family",
                "unknown network family '" + name + "'",
                name,
                near ? "did you mean '" + *near + "'?" : "families are " + joined(families()));
}

void check_range(const char* what, std::int64_t value, std::int64_t low, std::int64_t high) {
    if (value < low || value > high) {
        throw Error("zoo/bad-specification",
                    std::string(what) + " is " + std::to_string(value) + ", outside " +
                        std::to_string(low) + " to " + std::to_string(high));
    }
}

void check_depth(const Family& family, std::int64_t depth) {
    if (!family.supports(depth)) {
        throw Error("zoo/unsupported-depth",
                    std::string(family.name) + " has no form of depth " + std::to_string(depth),
                    family.name,
                    std::string("depths are ") + family.depths);
    }
}

void check_stem(const Family& family, const std::string& stem) {
    const bool is_known = stem == "small" || stem == "imagenet";
    if (!is_known || (stem == "imagenet" && !family.has_imagenet_stem)) {
        throw Error(
            "zoo/bad-specification",
            std::string(family.name) + " has no stem '" + stem + "'",
            family.name,
            family.has_imagenet_stem ? "stems are small and imagenet" : "its only stem is small");
    }
}

void check_picture(const Family& family, const Specification& specification) {
    constexpr std::int64_t kLargestSide = 4096;
    constexpr std::int64_t kMostChannels = 1024;
    const auto& shape = specification.input_shape;
    if (shape.size() != 3) {
        throw Error("zoo/bad-specification",
                    "the input shape has " + std::to_string(shape.size()) + " sizes",
                    family.name,
                    "give channels, height and width");
    }
    check_range("the number of input channels", shape[0], 1, kMostChannels);
    const std::int64_t side = std::min(shape[1], shape[2]);
    const std::int64_t least = family.smallest_side(specification);
    if (side < least) {
        throw Error("zoo/input-too-small",
                    "pictures of " + std::to_string(shape[1]) + " x " + std::to_string(shape[2]) +
                        " are too small for " + family.name + " of depth " +
                        std::to_string(specification.depth),
                    family.name,
                    "both sides need at least " + std::to_string(least));
    }
    check_range("the larger side of the input", std::max(shape[1], shape[2]), least, kLargestSide);
}

/// The specification with every default filled in. Throws what build() throws.
Specification complete(const Family& family, Specification specification) {
    constexpr std::int64_t kWidest = 4096;
    constexpr std::int64_t kMostClasses = 1000000;
    check_depth(family, specification.depth);
    check_stem(family, specification.stem);
    if (specification.width == 0) {
        specification.width = family.standard_width(specification.depth);
    }
    check_range("the width", specification.width, 1, kWidest);
    check_range("the number of classes", specification.classes, 1, kMostClasses);
    check_picture(family, specification);
    return specification;
}

template <class Value>
Value setting(const network::Network& network, const char* name) {
    const auto found = network.settings().find(name);
    const Value* value =
        found == network.settings().end() ? nullptr : std::get_if<Value>(&found->second);
    if (value == nullptr) {
        throw Error("zoo/no-family",
                    std::string("the network does not say its '") + name + "'",
                    "",
                    "only networks built from a family have smaller and larger relatives");
    }
    return *value;
}

}  // namespace

std::vector<std::string> families() {
    std::vector<std::string> names;
    for (const Family& family : all_families()) {
        names.emplace_back(family.name);
    }
    return names;
}

std::int64_t usual_depth(const std::string& family, const std::string& stem) {
    return family_named(family).usual_depth(stem);
}

network::Network build(const Specification& specification, std::uint64_t seed) {
    network::Network network = outline(specification);
    initialise(network, seed);
    return network;
}

network::Network outline(const Specification& specification) {
    const Family family = family_named(specification.family);
    return family.build(complete(family, specification));
}

Specification specification_of(const network::Network& network) {
    Specification specification;
    specification.family = setting<std::string>(network, "family");
    specification.depth = setting<std::int64_t>(network, "depth");
    specification.width = setting<std::int64_t>(network, "width");
    specification.classes = setting<std::int64_t>(network, "classes");
    specification.input_shape = network.input().shape;
    if (network.settings().contains("stem")) {  // files of before there was a choice have none
        specification.stem = setting<std::string>(network, "stem");
    }
    return specification;
}

}  // namespace topress::zoo
