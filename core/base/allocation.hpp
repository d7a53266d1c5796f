// How a program of ours keeps the memory it has freed.
#pragma once

namespace topress {

/// For the whole process, to be called first in main(): freed blocks of up to 32 MiB stay with the
/// process. Training allocates and frees the same tensors in every step; given back to the system
/// and taken again, each page costs a fault and is cleared (a tenth of a step's time).
void keep_freed_memory();

}  // namespace topress
