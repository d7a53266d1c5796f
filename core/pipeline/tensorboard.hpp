// Scalars in the event files that TensorBoard reads.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>

namespace topress::pipeline {

/// Writes one event file into a folder, made with the first scalar. Format: TFRecords of `Event`
/// messages (tensorflow/core/util/event.proto, lib/io/record_writer: length and payload with masked
/// CRC-32C each). A folder that cannot be written costs the curves, never the run: the reason is
/// logged once.
class TensorBoardWriter {
  public:
    explicit TensorBoardWriter(std::filesystem::path folder) : folder_(std::move(folder)) {}

    ~TensorBoardWriter();

    TensorBoardWriter(const TensorBoardWriter&) = delete;
    TensorBoardWriter& operator=(const TensorBoardWriter&) = delete;

    /// A value that is not finite is left out: charts have no place for it.
    void scalar(std::string_view tag, std::int64_t step, double value);
    /// What was written so far can be read.
    void flush();

  private:
    bool open();
    void record(std::string_view payload);

    std::filesystem::path folder_;
    std::FILE* file_ = nullptr;
    bool is_broken_ = false;
};

/// One TFRecord around `payload`.
[[nodiscard]] std::string tensorboard_record(std::string_view payload);

/// The `Event` message with one scalar. `wall_time`: seconds since 1970.
[[nodiscard]] std::string scalar_event(std::string_view tag,
                                       std::int64_t step,
                                       double value,
                                       double wall_time);

}  // namespace topress::pipeline
