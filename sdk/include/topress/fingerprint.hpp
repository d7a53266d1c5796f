// The build fingerprint of whoever includes this: may host and plugin share C++ objects?
#pragma once

#include <topress/abi.h>

#include <ATen/core/Tensor.h>
#include <c10/core/TensorImpl.h>
#include <torch/version.h>

#include <cstddef>
#include <memory>
#include <string>

namespace topress {
namespace detail {

template <std::size_t Size, std::size_t Length>
constexpr void set_text(char (&target)[Size], const char (&text)[Length]) {
    static_assert(Length <= Size, "the text does not fit the fingerprint");
    for (std::size_t i = 0; i < Length; ++i) {
        target[i] = text[i];
    }
}

}  // namespace detail

/// LibTorch version, standard library and sizes of the objects that cross, all from the including
/// build. Flavour "debug" means checked standard containers (_GLIBCXX_DEBUG), which change their
/// layout; optimisation and NDEBUG do not matter.
constexpr topress_fingerprint make_fingerprint() {
    topress_fingerprint fingerprint{};
    fingerprint.struct_size = sizeof(topress_fingerprint);
#if defined(_GLIBCXX_USE_CXX11_ABI)
    fingerprint.cxx11_abi = _GLIBCXX_USE_CXX11_ABI;
#endif
    fingerprint.size_of_tensor = sizeof(at::Tensor);
    fingerprint.size_of_tensor_impl = sizeof(c10::TensorImpl);
    fingerprint.size_of_string = sizeof(std::string);
    fingerprint.size_of_shared_ptr = sizeof(std::shared_ptr<int>);
    detail::set_text(fingerprint.torch_version, TORCH_VERSION);
#if defined(_GLIBCXX_DEBUG)
    detail::set_text(fingerprint.torch_flavour, "debug");
#else
    detail::set_text(fingerprint.torch_flavour, "release");
#endif
#if defined(_LIBCPP_VERSION)
    detail::set_text(fingerprint.standard_library, "libc++");
#else
    detail::set_text(fingerprint.standard_library, "libstdc++");
#endif
    return fingerprint;
}

/// The build note of the including build: ABI version and fingerprint.
constexpr topress_abi_note make_abi_note() {
    topress_abi_note note{};
    note.struct_size = sizeof(topress_abi_note);
    note.abi_major = TOPRESS_ABI_MAJOR;
    note.abi_minor = TOPRESS_ABI_MINOR;
    note.fingerprint = make_fingerprint();
    return note;
}

}  // namespace topress
