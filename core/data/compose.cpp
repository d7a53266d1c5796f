// Gathers instead of loops: nothing leaves the device, and only places and numbers come to it.
#include "data/compose.hpp"

#include <ATen/ATen.h>

namespace topress::data {

namespace {

/// One number of every change, (N, 1).
template <typename Number>
at::Tensor column_of(const std::vector<PictureChange>& changes,
                     at::Device device,
                     const Number& number) {
    at::Tensor column = at::empty({static_cast<std::int64_t>(changes.size()), 1}, at::kLong);
    auto* value = column.mutable_data_ptr<std::int64_t>();
    for (const PictureChange& change : changes) {
        *value++ = number(change);
    }
    return column.to(device);
}

at::Tensor change_pictures(const at::Tensor& pictures, const std::vector<PictureChange>& changes) {
    const at::Device device = pictures.device();
    const std::int64_t count = pictures.size(0);
    const std::int64_t channels = pictures.size(1);
    const std::int64_t height = pictures.size(2);
    const std::int64_t width = pictures.size(3);
    const auto integers = at::TensorOptions(device).dtype(at::kLong);
    const at::Tensor y =
        at::arange(height, integers).unsqueeze(0) +
        column_of(changes, device, [](const PictureChange& change) { return change.top; });
    const at::Tensor upright = at::arange(width, integers).unsqueeze(0);
    const at::Tensor mirrored = column_of(changes, device, [](const PictureChange& change) {
        return static_cast<std::int64_t>(change.mirrored);
    });
    const at::Tensor x =
        at::where(mirrored.ne(0), upright.neg().add(width - 1), upright) +
        column_of(changes, device, [](const PictureChange& change) { return change.left; });
    const at::Tensor inside = y.ge(0)
                                  .logical_and_(y.lt(height))
                                  .unsqueeze(2)
                                  .logical_and(x.ge(0).logical_and_(x.lt(width)).unsqueeze(1));
    const at::Tensor from =
        y.clamp(0, height - 1).mul(width).unsqueeze(2) + x.clamp(0, width - 1).unsqueeze(1);
    const at::Tensor index =
        from.view({count, 1, height * width}).expand({count, channels, height * width});
    return pictures.flatten(2)
        .gather(2, index)
        .view({count, channels, height, width})
        .masked_fill(inside.logical_not().unsqueeze(1), 0);
}

}  // namespace

at::Tensor compose_pictures(const at::Tensor& pictures,
                            const std::vector<std::int64_t>& samples,
                            const std::vector<PictureChange>& changes,
                            const at::Tensor& tables) {
    const at::Device device = pictures.device();
    at::Tensor chosen = pictures.index_select(0, at::tensor(samples, at::kLong).to(device));
    if (!changes.empty()) {
        chosen = change_pictures(chosen, changes);
    }
    const at::Tensor rows =
        at::arange(tables.size(0), at::TensorOptions(device).dtype(at::kInt)).mul(tables.size(1));
    const at::Tensor places = chosen.permute({0, 2, 3, 1}).to(at::kInt).add(rows);
    return tables.view({-1})
        .index_select(0, places.reshape({-1}))
        .view(places.sizes())
        .permute({0, 3, 1, 2});
}

}  // namespace topress::data
