// Claims are asked for again and again: flock() cannot wait with a look at Ctrl-C.
#include "pipeline/run_cache.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "pipeline/version.hpp"

#include <chrono>
#include <thread>

namespace topress::pipeline {
namespace {

constexpr auto kPeriod = std::chrono::milliseconds(50);

double now_since_1970() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::optional<Checkpoint> unpack(std::optional<CacheEntry> found,
                                 const std::filesystem::path& folder) {
    if (!found) {
        return std::nullopt;
    }
    write_artefacts(found->artefacts, folder);
    return std::move(found->stage);
}

}  // namespace

std::optional<Checkpoint> RunCache::take(const std::string& key,
                                         const std::string& label,
                                         const std::filesystem::path& folder) {
    claim_.reset();
    if (auto found = cache_.find(key)) {
        return unpack(std::move(found), folder);
    }
    wait_for_claim(key, label);
    auto found = cache_.find(key);  // by now somebody may have left it
    if (found) {
        claim_.reset();
    }
    return unpack(std::move(found), folder);
}

void RunCache::wait_for_claim(const std::string& key, const std::string& label) {
    const auto start = std::chrono::steady_clock::now();
    bool has_waited = false;
    while (!(claim_ = cache_.claim(key)) && cache_.is_usable()) {
        if (!has_waited) {
            has_waited = true;
            log::write(log::Level::Info,
                       "another topress (process " + cache_.claimed_by(key) +
                           ") computes the same stage: waits for its result",
                       label);
            log::flush();
        }
        if (cancelled_ && cancelled_()) {
            throw Error("run/interrupted", "stopped by the user");
        }
        std::this_thread::sleep_for(kPeriod);
    }
    if (has_waited) {
        const auto waited = std::chrono::steady_clock::now() - start;
        log::write(
            log::Level::Info,
            "waited " +
                std::to_string(std::chrono::duration_cast<std::chrono::seconds>(waited).count()) +
                " s",
            label);
    }
}

void RunCache::keep_teacher_answers(const std::string& key, const at::Tensor& logits) {
    try {
        cache_.store_teacher_answers(key, logits);
    } catch (const std::exception& error) {
        log::debug(std::string("what a teacher said is not cached: ") + error.what());
    }
}

void RunCache::give(const std::string& key,
                    const Checkpoint& finished,
                    const std::filesystem::path& folder) {
    if (!claim_) {  // not shared, or the cache cannot be used
        return;
    }
    CacheEntry entry{key, now_since_1970(), program_version(), finished, {}};
    try {
        entry.artefacts = read_artefacts(folder);
        cache_.store(entry);
    } catch (const std::exception& error) {
        log::debug(std::string("a stage is not cached: ") + error.what());
    }
    claim_.reset();
}

}  // namespace topress::pipeline
