// The other side of an isolated stage: what `topress worker` does.
#pragma once

#include "pipeline/worker_events.hpp"
#include "train/trainer.hpp"

#include <filesystem>

namespace topress::pipeline {

/// Does the job that lies in `folder` and leaves its result there; log and progress go to `events`.
/// A technique that fails is a result too. Throws: Error{file/cannot-read, file/cannot-write} when
/// the folder cannot be used.
void run_worker(const std::filesystem::path& folder,
                EventWriter& events,
                const train::Cancelled& cancelled);

}  // namespace topress::pipeline
