// A stream of its own for the work of a fit: the default one cannot be recorded.
#pragma once

#include <c10/core/Stream.h>
#include <c10/core/StreamGuard.h>

namespace topress::train {

/// While it lives, this thread launches on `stream`. Both ends wait: what came before is done when
/// it begins, and what was launched when it ends.
class SideStream {
  public:
    explicit SideStream(c10::Stream stream);
    ~SideStream();
    SideStream(const SideStream&) = delete;
    SideStream& operator=(const SideStream&) = delete;

  private:
    c10::Stream stream_;
    c10::StreamGuard guard_;
};

}  // namespace topress::train
