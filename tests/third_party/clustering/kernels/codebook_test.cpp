// The kernels against the CPU reference: on the test kit everywhere, on a device where there is
// one.
#include "kernels/codebook.hpp"

#if defined(CODEBOOK_TEST_ON_GPU)
#include <cuda_runtime.h>
#else
#include <topress/testkit/guarded_buffer.hpp>
#include <topress/testkit/schedule.hpp>
#endif

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace {

using example::clustering::cluster_sums_cpu;
using example::clustering::launch_cluster_sums;
using example::clustering::launch_nearest_centroid;
using example::clustering::nearest_centroid_cpu;

int g_failures = 0;

void check(bool holds, const std::string& what) {
    if (!holds) {
        std::fprintf(stderr, "failed: %s\n", what.c_str());
        ++g_failures;
    }
}

struct Result {
    std::vector<std::int64_t> indices;
    std::vector<double> sums;
    std::vector<std::int64_t> counts;
};

std::vector<float> normal_values(std::size_t size, unsigned seed) {
    std::mt19937 source(seed);
    std::normal_distribution<float> normal;
    std::vector<float> values(size);
    for (float& value : values) {
        value = normal(source);
    }
    return values;
}

Result reference(const std::vector<float>& values, const std::vector<float>& centroids) {
    const auto size = static_cast<std::int64_t>(values.size());
    const auto count = static_cast<std::int64_t>(centroids.size());
    Result result{std::vector<std::int64_t>(values.size(), -1),
                  std::vector<double>(centroids.size(), -1),
                  std::vector<std::int64_t>(centroids.size(), -1)};
    nearest_centroid_cpu(values.data(), size, centroids.data(), count, result.indices.data());
    cluster_sums_cpu(values.data(),
                     result.indices.data(),
                     size,
                     count,
                     result.sums.data(),
                     result.counts.data());
    return result;
}

#if defined(CODEBOOK_TEST_ON_GPU)

/// An array in device memory.
template <typename T>
class OnDevice {
  public:
    explicit OnDevice(const std::vector<T>& host) : size_(host.size()) {
        cudaMalloc(&data_, (size_ + 1) * sizeof(T));
        cudaMemcpy(data_, host.data(), size_ * sizeof(T), cudaMemcpyHostToDevice);
    }

    ~OnDevice() { cudaFree(data_); }

    OnDevice(const OnDevice&) = delete;
    OnDevice& operator=(const OnDevice&) = delete;

    T* data() { return data_; }

    std::vector<T> read() const {
        std::vector<T> host(size_);
        cudaMemcpy(host.data(), data_, size_ * sizeof(T), cudaMemcpyDeviceToHost);
        return host;
    }

  private:
    T* data_ = nullptr;
    std::size_t size_;
};

bool has_device() {
    int count = 0;
    return cudaGetDeviceCount(&count) == cudaSuccess && count > 0;
}

Result run_kernels(const std::vector<float>& values, const std::vector<float>& centroids) {
    const auto size = static_cast<std::int64_t>(values.size());
    const auto count = static_cast<std::int64_t>(centroids.size());
    OnDevice<float> v(values);
    OnDevice<float> c(centroids);
    OnDevice<std::int64_t> indices(std::vector<std::int64_t>(values.size(), -1));
    OnDevice<double> sums(std::vector<double>(centroids.size(), -1));
    OnDevice<std::int64_t> counts(std::vector<std::int64_t>(centroids.size(), -1));
    launch_nearest_centroid(v.data(), size, c.data(), count, indices.data(), nullptr);
    launch_cluster_sums(v.data(), indices.data(), size, count, sums.data(), counts.data(), nullptr);
    return {indices.read(), sums.read(), counts.read()};
}

#else

bool has_device() {
    return true;
}

/// Under every schedule of the kit, with guard bands around all buffers.
Result run_kernels(const std::vector<float>& values, const std::vector<float>& centroids) {
    using topress::testkit::GuardedBuffer;
    const auto size = static_cast<std::int64_t>(values.size());
    const auto count = static_cast<std::int64_t>(centroids.size());
    Result result;
    topress::testkit::for_each_schedule([&] {
        GuardedBuffer<float> v(values, "values");
        GuardedBuffer<float> c(centroids, "centroids");
        GuardedBuffer<std::int64_t> indices(values.size(), "indices");
        GuardedBuffer<double> sums(centroids.size(), "sums");
        GuardedBuffer<std::int64_t> counts(centroids.size(), "counts");
        launch_nearest_centroid(v.data(), size, c.data(), count, indices.data(), nullptr);
        launch_cluster_sums(
            v.data(), indices.data(), size, count, sums.data(), counts.data(), nullptr);
        result = {{indices.data(), indices.data() + values.size()},
                  {sums.data(), sums.data() + centroids.size()},
                  {counts.data(), counts.data() + centroids.size()}};
        return topress::testkit::bytes_of(indices, sums, counts);
    });
    return result;
}

#endif

/// Sums in double of float values: only their order differs.
constexpr double kSumLimit = 1e-9;

void compare(const std::vector<float>& values,
             const std::vector<float>& centroids,
             const std::string& name) {
    const Result expected = reference(values, centroids);
    const Result found = run_kernels(values, centroids);
    check(found.indices == expected.indices, name + ": indices");
    check(found.counts == expected.counts, name + ": counts");
    for (std::size_t k = 0; k < centroids.size(); ++k) {
        const bool same = std::fabs(found.sums[k] - expected.sums[k]) <=
                              kSumLimit * (1 + std::fabs(expected.sums[k])) ||
                          (std::isnan(found.sums[k]) && std::isnan(expected.sums[k]));
        check(same, name + ": sum of centroid " + std::to_string(k));
    }
}

void check_reference() {
    const std::vector<float> values{
        -1.0F, 0.4F, 0.5F, 0.6F, 9.0F, std::numeric_limits<float>::quiet_NaN()};
    const Result found = reference(values, {0.0F, 1.0F, 4.0F});
    check(found.indices == std::vector<std::int64_t>{0, 0, 0, 1, 2, 0},
          "ties take the lower index");
    check(found.counts == std::vector<std::int64_t>{4, 1, 1}, "counts");
    check(found.sums[2] == 9.0 && std::isnan(found.sums[0]), "sums");
}

template <typename Action>
void check_throws(const Action& action, const char* what) {
    try {
        action();
        check(false, what);
    } catch (const std::invalid_argument&) {
    }
}

void check_arguments() {
    const float value = 0;
    std::int64_t index = 0;
    check_throws([&] { launch_nearest_centroid(&value, -1, &value, 1, &index, nullptr); }, "size");
    check_throws([&] { nearest_centroid_cpu(&value, 1, &value, 0, &index); }, "no centroid");
    check_throws([&] { nearest_centroid_cpu(&value, 1, &value, 1, nullptr); }, "no indices");
    check_throws([&] { launch_cluster_sums(&value, &index, 1, 1, nullptr, nullptr, nullptr); },
                 "no sums");
}

}  // namespace

int main() {
    if (!has_device()) {
        std::puts("[SKIP] no CUDA device");
        return 77;
    }
    check_reference();
    check_arguments();
    for (const std::size_t size : {0U, 1U, 31U, 32U, 33U, 255U, 256U, 257U, 1009U}) {
        for (const std::size_t count : {1U, 2U, 16U, 257U}) {
            const auto seed = static_cast<unsigned>(size * 1000 + count);
            compare(normal_values(size, seed),
                    normal_values(count, seed + 1),
                    std::to_string(size) + " values, " + std::to_string(count) + " centroids");
        }
    }
    std::vector<float> odd = normal_values(300, 5);
    odd[7] = std::numeric_limits<float>::quiet_NaN();
    odd[299] = -std::numeric_limits<float>::infinity();
    compare(odd, {-1, -1, 0, 1}, "not finite, equal centroids");
    std::printf("%d failures\n", g_failures);
    return g_failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
