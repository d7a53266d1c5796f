// Field-by-field comparison of two build fingerprints.
#include "plugin/fingerprint.hpp"

#include <cstring>

namespace topress::plugin {

namespace {

// The other side may have left out the terminating zero.
template <std::size_t Size>
std::string text_of(const char (&field)[Size]) {
    return std::string(field, strnlen(field, Size));
}

class Comparison {
  public:
    void numbers(const char* field, std::uint32_t found, std::uint32_t expected) {
        texts(field, std::to_string(found), std::to_string(expected));
    }

    void texts(const char* field, const std::string& found, const std::string& expected) {
        if (found != expected) {
            differences_.push_back({field, found.empty() ? "none" : found, expected});
        }
    }

    std::vector<FingerprintDifference> take() { return std::move(differences_); }

  private:
    std::vector<FingerprintDifference> differences_;
};

}  // namespace

std::vector<FingerprintDifference> compare_fingerprints(const topress_fingerprint& plugin,
                                                        const topress_fingerprint& host) {
    Comparison compare;
    if (plugin.struct_size < sizeof(topress_fingerprint)) {
        compare.numbers("fingerprint size", plugin.struct_size, sizeof(topress_fingerprint));
        return compare.take();
    }
    compare.texts("LibTorch version", text_of(plugin.torch_version), text_of(host.torch_version));
    compare.texts("LibTorch flavour", text_of(plugin.torch_flavour), text_of(host.torch_flavour));
    compare.texts(
        "standard library", text_of(plugin.standard_library), text_of(host.standard_library));
    compare.numbers("C++11 string ABI", plugin.cxx11_abi, host.cxx11_abi);
    compare.numbers("size of at::Tensor", plugin.size_of_tensor, host.size_of_tensor);
    compare.numbers(
        "size of c10::TensorImpl", plugin.size_of_tensor_impl, host.size_of_tensor_impl);
    compare.numbers("size of std::string", plugin.size_of_string, host.size_of_string);
    compare.numbers("size of std::shared_ptr", plugin.size_of_shared_ptr, host.size_of_shared_ptr);
    return compare.take();
}

}  // namespace topress::plugin
