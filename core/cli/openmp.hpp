// How OpenMP threads wait, settled before the first of them exists.
#pragma once

namespace topress::cli {

/// Makes waiting threads sleep instead of spin, by starting the program again with
/// OMP_WAIT_POLICY=passive in its environment: the OpenMP runtime reads it when it is loaded,
/// before main. Does nothing for a command that computes nothing, and when the user has chosen
/// (OMP_WAIT_POLICY or GOMP_SPINCOUNT), and goes on as it is when the restart is refused.
void let_waiting_threads_sleep(char** argv);

}  // namespace topress::cli
