// Four fields of two protobuf messages, written by hand: a whole protobuf runtime would buy nothing
// here.
#include "pipeline/tensorboard.hpp"

#include "base/log.hpp"

#include <boost/crc.hpp>

#include <bit>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <unistd.h>

namespace topress::pipeline {
namespace {

// Field numbers and wire types of event.proto and summary.proto.
constexpr unsigned char kEventWallTime = 0x09;     // 1, 64 bits
constexpr unsigned char kEventStep = 0x10;         // 2, varint
constexpr unsigned char kEventFileVersion = 0x1A;  // 3, bytes
constexpr unsigned char kEventSummary = 0x2A;      // 5, bytes
constexpr unsigned char kSummaryValue = 0x0A;      // 1, bytes
constexpr unsigned char kValueTag = 0x0A;          // 1, bytes
constexpr unsigned char kValueSimple = 0x15;       // 2, 32 bits
constexpr std::string_view kFileVersion = "brain.Event:2";

double seconds_since_1970() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

template <class Bits>
void add_bits(std::string& out, Bits bits) {
    for (std::size_t byte = 0; byte < sizeof bits; ++byte) {
        out += static_cast<char>(bits >> (8 * byte) & 0xFFU);
    }
}

void add_varint(std::string& out, std::uint64_t value) {
    while (value >= 0x80) {
        out += static_cast<char>((value & 0x7FU) | 0x80U);
        value >>= 7U;
    }
    out += static_cast<char>(value);
}

void add_bytes(std::string& out, unsigned char key, std::string_view bytes) {
    out += static_cast<char>(key);
    add_varint(out, bytes.size());
    out += bytes;
}

void add_wall_time(std::string& out, double wall_time) {
    out += static_cast<char>(kEventWallTime);
    add_bits(out, std::bit_cast<std::uint64_t>(wall_time));
}

/// CRC-32C, turned and shifted so that a checksum of data with checksums in it stays a good one.
std::uint32_t masked_crc(std::string_view bytes) {
    boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
    crc.process_bytes(bytes.data(), bytes.size());
    return std::rotr(static_cast<std::uint32_t>(crc.checksum()), 15) + 0xA282EAD8U;
}

std::string version_event(double wall_time) {
    std::string event;
    add_wall_time(event, wall_time);
    add_bytes(event, kEventFileVersion, kFileVersion);
    return event;
}

}  // namespace

std::string tensorboard_record(std::string_view payload) {
    std::string record;
    add_bits(record, std::uint64_t{payload.size()});
    add_bits(record, masked_crc(record));
    record += payload;
    add_bits(record, masked_crc(payload));
    return record;
}

std::string scalar_event(std::string_view tag, std::int64_t step, double value, double wall_time) {
    std::string scalar;
    add_bytes(scalar, kValueTag, tag);
    scalar += static_cast<char>(kValueSimple);
    add_bits(scalar, std::bit_cast<std::uint32_t>(static_cast<float>(value)));
    std::string summary;
    add_bytes(summary, kSummaryValue, scalar);
    std::string event;
    add_wall_time(event, wall_time);
    event += static_cast<char>(kEventStep);
    add_varint(event, static_cast<std::uint64_t>(step));
    add_bytes(event, kEventSummary, summary);
    return event;
}

TensorBoardWriter::~TensorBoardWriter() {
    if (file_ != nullptr) {
        std::fclose(file_);
    }
}

void TensorBoardWriter::scalar(std::string_view tag, std::int64_t step, double value) {
    if (std::isfinite(value) && open()) {
        record(scalar_event(tag, step, value, seconds_since_1970()));
    }
}

void TensorBoardWriter::flush() {
    if (file_ != nullptr) {
        std::fflush(file_);
    }
}

bool TensorBoardWriter::open() {
    if (file_ != nullptr || is_broken_) {
        return !is_broken_;
    }
    const double now = seconds_since_1970();
    std::error_code ignored;  // fopen says it better
    std::filesystem::create_directories(folder_, ignored);
    // TensorBoard looks for "tfevents" and takes the files of a folder in the order of their names.
    char name[64];
    std::snprintf(name,
                  sizeof name,
                  "events.out.tfevents.%010lld.topress.%ld",
                  static_cast<long long>(now),
                  static_cast<long>(::getpid()));
    file_ = std::fopen((folder_ / name).c_str(), "we");
    if (file_ == nullptr) {
        is_broken_ = true;
        log::warn("no curves for TensorBoard in " + folder_.string() + ": " + std::strerror(errno));
        return false;
    }
    record(version_event(now));
    return true;
}

void TensorBoardWriter::record(std::string_view payload) {
    const std::string bytes = tensorboard_record(payload);
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size() && !is_broken_) {
        is_broken_ = true;
        log::warn("curves for TensorBoard end here, " + folder_.string() +
                  " cannot be written: " + std::strerror(errno));
    }
}

}  // namespace topress::pipeline
