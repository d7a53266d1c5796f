// ResNet: basic blocks with a 3x3 stem. Depth 18 and 34: four stages (ImageNet form, made for small
// pictures by its stem); depth 6n+2: three stages (CIFAR form). Where a block changes size, the
// shortcut is a 1x1 convolution with batch norm (option B).
// Source: He et al. 2016, arXiv 1512.03385, sections 3.3 and 4.2.
#include "zoo/builder.hpp"
#include "zoo/families.hpp"

#include <vector>

namespace topress::zoo {
namespace {

constexpr std::int64_t kMaximumDepth = 1202;  // the deepest of the source

/// Basic blocks of each stage.
std::vector<std::int64_t> stages_of(std::int64_t depth) {
    if (depth == 18) {
        return {2, 2, 2, 2};
    }
    if (depth == 34) {
        return {3, 4, 6, 3};
    }
    const std::int64_t blocks = (depth - 2) / 6;
    return {blocks, blocks, blocks};
}

bool supports(std::int64_t depth) {
    const bool is_cifar_form = depth >= 8 && depth <= kMaximumDepth && (depth - 2) % 6 == 0;
    return depth == 18 || depth == 34 || is_cifar_form;
}

std::int64_t standard_width(std::int64_t depth) {
    return stages_of(depth).size() == 4 ? 64 : 16;
}

/// Every stage after the first halves the picture.
std::int64_t smallest_side(std::int64_t depth) {
    return std::int64_t{1} << (stages_of(depth).size() - 1);
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

Activation add_block(Builder& builder,
                     const std::string& block,
                     const Activation& x,
                     std::int64_t out,
                     std::int64_t stride) {
    Activation y = builder.convolve(block + ".conv1", x, {.out = out, .stride = stride});
    y = builder.batch_norm(block + ".bn1", y);
    y = builder.relu(block + ".relu1", y);
    y = builder.convolve(block + ".conv2", y, {.out = out});
    y = builder.batch_norm(block + ".bn2", y);
    y = builder.add(block + ".add", y, add_shortcut(builder, block, x, out, stride));
    return builder.relu(block + ".relu2", y);
}

network::Network build_resnet(const Specification& specification) {
    Builder builder(specification);
    Activation x = builder.convolve("stem.conv", builder.input(), {.out = specification.width});
    x = builder.relu("stem.relu", builder.batch_norm("stem.bn", x));
    const auto stages = stages_of(specification.depth);
    for (std::size_t stage = 0; stage < stages.size(); ++stage) {
        const std::int64_t out = specification.width << stage;
        for (std::int64_t block = 0; block < stages[stage]; ++block) {
            const std::string name =
                "stage" + std::to_string(stage + 1) + ".block" + std::to_string(block);
            x = add_block(builder, name, x, out, stage > 0 && block == 0 ? 2 : 1);
        }
    }
    return finish_with_head(builder, x, true, specification.classes);
}

}  // namespace

Family resnet_family() {
    return {"resnet",
            "18, 34 or 6n+2 (8, 14, 20, 26, 32, 38, 44, 50, 56, ...)",
            supports,
            standard_width,
            smallest_side,
            build_resnet};
}

}  // namespace topress::zoo
