// Throws what is no std::exception, from C functions that must not throw.
#include <topress/abi.h>

namespace {

struct NoException {
    int value;
};

}  // namespace

extern "C" {

topress_status throwing_init(const topress_host*, topress_error*) {
    throw NoException{1};
}

const void* throwing_get_interface(const char*) {
    throw NoException{2};
}

topress_status throwing_create(const char*, topress_technique**, topress_error*) {
    throw NoException{3};
}

topress_status throwing_configure(topress_technique*,
                                  const topress_value*,
                                  uint64_t,
                                  topress_error*) {
    throw NoException{4};
}

topress_status throwing_apply(topress_technique*, const topress_stage*, topress_error*) {
    throw NoException{5};
}
}
