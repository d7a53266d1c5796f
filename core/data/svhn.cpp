// Reads Street View House Numbers from its .mat files with the library matio.
#include "base/error.hpp"
#include "data/formats.hpp"

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <matio.h>
#include <memory>
#include <string>
#include <vector>

namespace topress::data {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kSide = 32;
constexpr std::int64_t kChannels = 3;
constexpr std::int64_t kClasses = 10;
constexpr std::int64_t kPictureBytes = kChannels * kSide * kSide;

struct MatCloser {
    void operator()(mat_t* file) const { Mat_Close(file); }
};

struct VariableFreer {
    void operator()(matvar_t* variable) const { Mat_VarFree(variable); }
};

using MatFile = std::unique_ptr<mat_t, MatCloser>;
using Variable = std::unique_ptr<matvar_t, VariableFreer>;

[[noreturn]] void fail(const std::string& code, const fs::path& path, const std::string& what) {
    throw Error(code,
                "'" + path.filename().string() + "': " + what,
                path.string(),
                "fetch the file again: the cropped digits (format 2) of SVHN are expected");
}

MatFile open_mat(const fs::path& path) {
    std::error_code ignored;
    if (!fs::is_regular_file(path, ignored)) {
        throw_missing(path,
                      "check data.path: train_32x32.mat and test_32x32.mat are expected there");
    }
    MatFile file(Mat_Open(path.c_str(), MAT_ACC_RDONLY));
    if (!file) {
        fail("data/inconsistent", path, "is no MATLAB file");
    }
    return file;
}

std::string shape_of(const matvar_t& variable) {
    std::string text;
    for (int d = 0; d < variable.rank; ++d) {
        text.append(d == 0 ? "" : " x ").append(std::to_string(variable.dims[d]));
    }
    return text;
}

// The shape is read before the data, so that what does not fit is not read at all.
Variable read_variable(mat_t* file, const fs::path& path, const char* name) {
    Variable variable(Mat_VarReadInfo(file, name));
    if (!variable) {
        fail("data/inconsistent", path, std::string("holds no variable '") + name + "'");
    }
    return variable;
}

void read_data(mat_t* file, const fs::path& path, matvar_t& variable) {
    if (Mat_VarReadDataAll(file, &variable) != 0 || variable.data == nullptr) {
        fail("data/truncated", path, std::string("variable '") + variable.name + "' ends early");
    }
}

// X (32, 32, 3, N), rows fastest -> (N, 3, 32, 32).
at::Tensor read_images(mat_t* file, const fs::path& path) {
    const Variable variable = read_variable(file, path, "X");
    const bool fits = variable->rank == 4 && variable->dims[0] == kSide &&
                      variable->dims[1] == kSide && variable->dims[2] == kChannels &&
                      variable->dims[3] > 0 && variable->class_type == MAT_C_UINT8;
    if (!fits) {
        fail("data/inconsistent",
             path,
             "'X' is " + shape_of(*variable) + ", expected 32 x 32 x 3 x N bytes");
    }
    read_data(file, path, *variable);
    const auto count = static_cast<std::int64_t>(variable->dims[3]);
    if (static_cast<std::int64_t>(variable->nbytes) != count * kPictureBytes) {
        fail("data/truncated", path, "'X' has fewer bytes than its size says");
    }
    const at::Tensor columns =
        at::from_blob(variable->data, {count, kChannels, kSide, kSide}, at::kByte);
    return columns.transpose(2, 3).clone(at::MemoryFormat::Contiguous);
}

template <typename Number>
std::vector<double> numbers_of(const matvar_t& variable, std::int64_t count) {
    const auto* first = static_cast<const Number*>(variable.data);
    return {first, first + count};
}

std::vector<double> read_numbers(mat_t* file, const fs::path& path, std::int64_t count) {
    const Variable variable = read_variable(file, path, "y");
    const bool fits = variable->rank == 2 && (variable->dims[0] == 1 || variable->dims[1] == 1) &&
                      static_cast<std::int64_t>(variable->dims[0] * variable->dims[1]) == count;
    if (!fits) {
        fail("data/inconsistent",
             path,
             "'y' is " + shape_of(*variable) + ", but 'X' has " + std::to_string(count) +
                 " pictures");
    }
    read_data(file, path, *variable);
    if (variable->class_type == MAT_C_DOUBLE) {
        return numbers_of<double>(*variable, count);
    }
    if (variable->class_type == MAT_C_UINT8) {
        return numbers_of<std::uint8_t>(*variable, count);
    }
    fail("data/inconsistent", path, "'y' holds neither doubles nor bytes");
}

Samples read_part(const fs::path& path) {
    const MatFile file = open_mat(path);
    Samples samples;
    samples.images = read_images(file.get(), path);
    const std::int64_t count = samples.images.size(0);
    const std::vector<double> numbers = read_numbers(file.get(), path, count);
    samples.labels = at::empty({count}, at::kLong);
    auto* label = samples.labels.mutable_data_ptr<std::int64_t>();
    for (std::int64_t n = 0; n < count; ++n) {
        const double number = numbers[static_cast<std::size_t>(n)];
        if (!(number >= 1 && number <= kClasses)) {
            fail("data/inconsistent",
                 path,
                 "label " + std::to_string(number) + " of picture " + std::to_string(n + 1) +
                     ", expected 1 to 10");
        }
        label[n] = static_cast<std::int64_t>(number) % kClasses;  // 10 means the digit 0
    }
    return samples;
}

}  // namespace

Dataset load_svhn(const fs::path& folder) {
    Dataset dataset;
    dataset.classes = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    dataset.train = read_part(folder / "train_32x32.mat");
    dataset.test = read_part(folder / "test_32x32.mat");
    return dataset;
}

}  // namespace topress::data
