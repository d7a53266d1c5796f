// A run's dealings with the stage cache: take what is there, wait for what somebody else computes,
// leave what was computed.
#pragma once

#include "pipeline/stage_cache.hpp"
#include "train/trainer.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace topress::pipeline {

/// Thread: one.
class RunCache {
  public:
    RunCache(StageCache cache, train::Cancelled cancelled)
        : cache_(std::move(cache)), cancelled_(std::move(cancelled)) {}

    /// A finished stage; its artefacts are put into `folder`. If there is none, the caller has the
    /// right to compute it, until give() or until this object asks for another. If another program
    /// has that right, this waits until it is done or gone, and says so in the log.
    /// Throws: Error{run/interrupted} when cancelled meanwhile; {file/cannot-write} for artefacts.
    [[nodiscard]] std::optional<Checkpoint> take(const std::string& key,
                                                 const std::string& label,
                                                 const std::filesystem::path& folder);

    /// Leaves a computed stage, with the artefacts that are in `folder`; never fails.
    void give(const std::string& key,
              const Checkpoint& finished,
              const std::filesystem::path& folder);

    /// What a teacher said under that key; undefined if nobody left it.
    [[nodiscard]] at::Tensor find_teacher_answers(const std::string& key) {
        return cache_.find_teacher_answers(key);
    }

    /// Leaves what a teacher said; never fails.
    void keep_teacher_answers(const std::string& key, const at::Tensor& logits);

    /// What is being computed is not to be shared: give() then leaves nothing.
    void forgo() { claim_.reset(); }

  private:
    void wait_for_claim(const std::string& key, const std::string& label);

    StageCache cache_;
    train::Cancelled cancelled_;
    std::optional<FileLock> claim_;
};

}  // namespace topress::pipeline
