// ResNet. Depth 18 and 34 (basic blocks), 50, 101 and 152 (bottlenecks): four stages; any other
// depth 6n+2: three stages of basic blocks (CIFAR form). Where a block changes size or channels,
// the shortcut is a 1x1 convolution with batch norm (option B); a bottleneck has its stride in the
// 3x3 convolution, as in PyTorch. Source: He et al. 2016, arXiv 1512.03385, table 1 and section
// 4.2.
#include "zoo/builder.hpp"
#include "zoo/families.hpp"

#include <vector>

namespace topress::zoo {
namespace {

constexpr std::int64_t kMaximumDepth = 1202;  // the deepest of the source
constexpr std::int64_t kExpansion = 4;        // of a bottleneck: channels after over those within

/// How many blocks each stage has, and of which kind.
struct Form {
    std::vector<std::int64_t> blocks;
    bool has_bottlenecks = false;
};

Form form_of(std::int64_t depth) {
    switch (depth) {
        case 18:
            return {{2, 2, 2, 2}};
        case 34:
            return {{3, 4, 6, 3}};
        case 50:
            return {{3, 4, 6, 3}, true};
        case 101:
            return {{3, 4, 23, 3}, true};
        case 152:
            return {{3, 8, 36, 3}, true};
        default: {
            const std::int64_t blocks = (depth - 2) / 6;
            return {{blocks, blocks, blocks}};
        }
    }
}

bool supports(std::int64_t depth) {
    const bool is_cifar_form = depth >= 8 && depth <= kMaximumDepth && (depth - 2) % 6 == 0;
    return is_cifar_form || depth == 18 || depth == 34 || depth == 101;  // 50 and 152 are 6n+2 too
}

std::int64_t standard_width(std::int64_t depth) {
    return form_of(depth).blocks.size() == 4 ? 64 : 16;
}

/// Every stage after the first halves the picture; a stem for large pictures does so twice before.
std::int64_t smallest_side(const Specification& specification) {
    const std::size_t halvings = form_of(specification.depth).blocks.size() - 1;
    return std::int64_t{1} << (halvings + (has_imagenet_stem(specification) ? 2 : 0));
}

Activation add_stem(Builder& builder, const Specification& specification) {
    const bool is_large = has_imagenet_stem(specification);
    Activation x = builder.convolve(
        "stem.conv",
        builder.input(),
        {.out = specification.width, .kernel = is_large ? 7 : 3, .stride = is_large ? 2 : 1});
    x = builder.relu("stem.relu", builder.batch_norm("stem.bn", x));
    return is_large ? builder.max_pool("stem.pool", x, {.kernel = 3, .stride = 2, .padding = 1})
                    : x;
}

/// Convolution `index` of a block, with its batch norm.
Activation convolve(Builder& builder,
                    const std::string& block,
                    const char* index,
                    const Activation& x,
                    const Convolution& form) {
    return builder.batch_norm(block + ".bn" + index,
                              builder.convolve(block + ".conv" + index, x, form));
}

Activation add_shortcut(Builder& builder,
                        const std::string& block,
                        const Activation& x,
                        std::int64_t out,
                        std::int64_t stride) {
    if (stride == 1 && x.channels == out) {
        return x;
    }
    const Activation projected =
        builder.convolve(block + ".shortcut.conv", x, {.out = out, .kernel = 1, .stride = stride});
    return builder.batch_norm(block + ".shortcut.bn", projected);
}

Activation add_basic(Builder& builder,
                     const std::string& block,
                     const Activation& x,
                     std::int64_t width,
                     std::int64_t stride) {
    Activation y = convolve(builder, block, "1", x, {.out = width, .stride = stride});
    y = builder.relu(block + ".relu1", y);
    y = convolve(builder, block, "2", y, {.out = width});
    y = builder.add(block + ".add", y, add_shortcut(builder, block, x, width, stride));
    return builder.relu(block + ".relu2", y);
}

Activation add_bottleneck(Builder& builder,
                          const std::string& block,
                          const Activation& x,
                          std::int64_t width,
                          std::int64_t stride) {
    const std::int64_t out = width * kExpansion;
    Activation y = convolve(builder, block, "1", x, {.out = width, .kernel = 1});
    y = builder.relu(block + ".relu1", y);
    y = convolve(builder, block, "2", y, {.out = width, .stride = stride});
    y = builder.relu(block + ".relu2", y);
    y = convolve(builder, block, "3", y, {.out = out, .kernel = 1});
    y = builder.add(block + ".add", y, add_shortcut(builder, block, x, out, stride));
    return builder.relu(block + ".relu3", y);
}

network::Network build_resnet(const Specification& specification) {
    Builder builder(specification);
    Activation x = add_stem(builder, specification);
    const Form form = form_of(specification.depth);
    const auto add_block = form.has_bottlenecks ? add_bottleneck : add_basic;
    for (std::size_t stage = 0; stage < form.blocks.size(); ++stage) {
        const std::int64_t width = specification.width << stage;
        for (std::int64_t block = 0; block < form.blocks[stage]; ++block) {
            const std::string name =
                "stage" + std::to_string(stage + 1) + ".block" + std::to_string(block);
            x = add_block(builder, name, x, width, stage > 0 && block == 0 ? 2 : 1);
        }
    }
    return finish_with_head(builder, x, true, specification.classes);
}

}  // namespace

Family resnet_family() {
    return {"resnet",
            "18, 34, 50, 101, 152 or another 6n+2 (8, 14, 20, 26, 32, 38, 44, 56, ...)",
            true,
            [](const std::string& stem) { return std::int64_t{stem == "imagenet" ? 50 : 20}; },
            supports,
            standard_width,
            smallest_side,
            build_resnet};
}

}  // namespace topress::zoo
