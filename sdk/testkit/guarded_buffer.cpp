// Guard bands, and the list of all living ones that a launch checks.
#include <topress/testkit/guarded_buffer.hpp>

#include <algorithm>
#include <mutex>

namespace topress::testkit {
namespace {

constexpr std::size_t kBandBytes = 256;  // keeps the alignment that cudaMalloc gives
constexpr std::byte kBand{0xa5};
constexpr std::byte kUnwritten{0xff};

std::mutex living_mutex;

std::vector<GuardedStorage*>& living() {
    static std::vector<GuardedStorage*> all;
    return all;
}

}  // namespace

GuardedStorage::GuardedStorage(std::size_t size_bytes, std::string name)
    : bytes_(size_bytes + 2 * kBandBytes, kUnwritten),
      size_bytes_(size_bytes),
      name_(std::move(name)) {
    repair();
    const std::lock_guard lock(living_mutex);
    living().push_back(this);
}

GuardedStorage::~GuardedStorage() {
    const std::lock_guard lock(living_mutex);
    std::vector<GuardedStorage*>& all = living();
    all.erase(std::find(all.begin(), all.end(), this));
}

std::byte* GuardedStorage::data() noexcept {
    return bytes_.data() + kBandBytes;
}

const std::byte* GuardedStorage::data() const noexcept {
    return bytes_.data() + kBandBytes;
}

std::string GuardedStorage::damage() const {
    const std::byte* const before = bytes_.data();
    const std::byte* const behind = data() + size_bytes_;
    for (std::size_t i = 0; i < kBandBytes; ++i) {
        if (behind[i] != kBand) {
            return "'" + name_ + "': byte " + std::to_string(i) + " past its end was written";
        }
        if (before[kBandBytes - 1 - i] != kBand) {
            return "'" + name_ + "': byte " + std::to_string(i + 1) +
                   " before its start was written";
        }
    }
    return {};
}

void GuardedStorage::repair() noexcept {
    std::fill_n(bytes_.begin(), kBandBytes, kBand);
    std::fill_n(bytes_.end() - std::ptrdiff_t{kBandBytes}, kBandBytes, kBand);
}

std::string collect_guard_damage() {
    const std::lock_guard lock(living_mutex);
    std::string all;
    for (GuardedStorage* storage : living()) {
        const std::string damage = storage->damage();
        if (!damage.empty()) {
            all += (all.empty() ? "" : "; ") + damage;
            storage->repair();
        }
    }
    return all;
}

}  // namespace topress::testkit
