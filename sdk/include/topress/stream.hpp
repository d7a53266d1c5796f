// The stream a device currently works on, without any CUDA header.
#pragma once

#include <c10/core/Device.h>
#include <c10/core/Stream.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace topress {

/// What a kernel launcher takes as its stream: a cudaStream_t for a CUDA device, null for the CPU.
/// Throws: c10::Error when LibTorch has no support for the device loaded.
inline void* current_stream(c10::Device device) {
    if (device.is_cpu()) {
        return nullptr;
    }
    return c10::impl::VirtualGuardImpl(device.type()).getStream(device).native_handle();
}

}  // namespace topress
