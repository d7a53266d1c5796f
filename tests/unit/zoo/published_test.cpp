// Parameters and MACs of the families against published figures and against counts by hand.
#include "network/cost.hpp"
#include "zoo/zoo.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace topress;

namespace {

/// The networks of torchvision at 3 x 224 x 224, 1000 classes. `parameters` and `published_gmacs`
/// (which it calls GFLOPs, to three digits) are those of its documentation; `macs` sums, layer by
/// layer of the tables in the papers, height * width * outputs * inputs / groups * kernel^2.
struct Published {
    const char* family;
    std::int64_t depth;
    double parameters;
    double published_gmacs;
    double macs;
};

constexpr Published kImageNet[] = {
    {"resnet", 18, 11689512, 1.814, 1814073344},
    {"resnet", 34, 21797672, 3.664, 3663761408},
    {"resnet", 50, 25557032, 4.089, 4089184256},
    {"resnet", 101, 44549160, 7.801, 7801405440},
    {"resnet", 152, 60192808, 11.514, 11513626624},
    {"vgg", 11, 132868840, 7.609, 7609090048},
    {"vgg", 13, 133053736, 11.308, 11308466176},
    {"vgg", 16, 138365992, 15.470, 15470264320},
    {"vgg", 19, 143678248, 19.632, 19632062464},
    {"mobilenetv2", 53, 3504872, 0.301, 300774272},
};

/// ResNets of the CIFAR form, table 6 of He et al. 2016: millions of parameters, for shortcuts
/// without any. The two projections here add 16 * 32 + 32 * 64 weights and 2 * 32 + 2 * 64 norm
/// values.
struct Cifar {
    std::int64_t depth;
    double published_millions;
    double digits;
    double parameters;
    double macs;
};

constexpr double kProjections = 512 + 2048 + 64 + 128;
constexpr Cifar kCifar[] = {
    {20, 0.27, 2, 272474, 40813184},
    {32, 0.46, 2, 466906, 69124736},
    {44, 0.66, 2, 661338, 97436288},
    {56, 0.85, 2, 855770, 125747840},
    {110, 1.7, 1, 1730714, 253149824},
};

double rounded(double value, double digits) {
    const double unit = std::pow(10.0, digits);
    return std::round(value * unit) / unit;
}

}  // namespace

TEST_SUITE("zoo") {
    TEST_CASE("zoo: the ImageNet forms are those of torchvision") {
        for (const Published& row : kImageNet) {
            CAPTURE(row.family);
            CAPTURE(row.depth);
            const auto cost = network::cost_of(
                zoo::outline({row.family, row.depth, 0, 1000, {3, 224, 224}, "imagenet"}));
            CHECK(cost.parameters == row.parameters);
            CHECK(cost.macs == row.macs);
            CHECK(rounded(cost.macs / 1e9, 3) ==
                  doctest::Approx(row.published_gmacs).epsilon(1e-9));
        }
    }

    TEST_CASE("zoo: ResNets of the CIFAR form have the published sizes") {
        for (const Cifar& row : kCifar) {
            CAPTURE(row.depth);
            const auto cost =
                network::cost_of(zoo::outline({"resnet", row.depth, 0, 10, {3, 32, 32}}));
            CHECK(cost.parameters == row.parameters);
            CHECK(cost.macs == row.macs);
            CHECK(rounded((cost.parameters - kProjections) / 1e6, row.digits) ==
                  doctest::Approx(row.published_millions).epsilon(1e-9));
        }
    }

    TEST_CASE("zoo: ResNet-50 for small pictures keeps its bottlenecks") {
        const auto cost = network::cost_of(zoo::outline({"resnet", 50, 0, 10, {3, 32, 32}}));
        // 25,557,032 less 990 answers of 2049 and a stem of 64 * 3 * (49 - 9) weights.
        CHECK(cost.parameters == 25557032 - 990 * 2049 - 64 * 3 * 40);
        CHECK(cost.macs == 1297829888);
    }
}
