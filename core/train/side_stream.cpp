// Waits on both sides, so that memory may pass from one stream to the other.
#include "train/side_stream.hpp"

#include "base/log.hpp"

#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/util/Exception.h>

#include <string>

namespace topress::train {
namespace {

c10::Stream after_current_work(c10::Stream stream) {
    c10::impl::VirtualGuardImpl(stream.device_type()).getStream(stream.device()).synchronize();
    return stream;
}

}  // namespace

SideStream::SideStream(c10::Stream stream) : stream_(after_current_work(stream)), guard_(stream) {}

SideStream::~SideStream() {
    try {
        stream_.synchronize();
    } catch (const c10::Error& error) {  // the next call that reads from the device says so too
        log::debug(std::string("the device failed: ") + error.what_without_backtrace());
    }
}

}  // namespace topress::train
