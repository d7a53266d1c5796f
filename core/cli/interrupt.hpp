// Ctrl-C: the first one asks the run to stop cleanly, the second ends the process.
#pragma once

namespace topress::cli {

/// Catches SIGINT and SIGTERM once each.
void watch_interrupts();

/// True after the first of them. Thread: any.
[[nodiscard]] bool is_interrupted();

}  // namespace topress::cli
