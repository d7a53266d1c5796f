// Snapshots through the control register, a descriptor of the folder, setlocale and sigaction.
#include "plugin/process_state.hpp"

#include <clocale>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace topress::plugin {

namespace {

#if defined(__x86_64__)
// The low six bits tell of past exceptions: they change with every calculation.
constexpr std::uint64_t kModeMask = ~std::uint64_t{0x3F};
constexpr std::uint64_t kFlushesToZero = 0x8040;

std::uint64_t float_mode() {
    return _mm_getcsr() & kModeMask;
}

void set_float_mode(std::uint64_t mode) {
    _mm_setcsr(static_cast<unsigned>(mode));
}
#elif defined(__aarch64__)
constexpr std::uint64_t kFlushesToZero = std::uint64_t{1} << 24;

std::uint64_t float_mode() {
    std::uint64_t mode = 0;
    asm volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
}

void set_float_mode(std::uint64_t mode) {
    asm volatile("msr fpcr, %0" : : "r"(mode));
}
#else
#error "read the floating-point control register of this architecture here"
#endif

bool is_same_folder(int folder) {
    struct stat before{};
    struct stat now{};
    return ::fstat(folder, &before) == 0 && ::stat(".", &now) == 0 && before.st_dev == now.st_dev &&
           before.st_ino == now.st_ino;
}

}  // namespace

ProcessState::ProcessState()
    : float_mode_(float_mode()),
      folder_(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)),
      locale_(std::setlocale(LC_ALL, nullptr)) {
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
        ::sigaction(kSignals[i], nullptr, &signals_[i]);
    }
}

ProcessState::~ProcessState() {
    if (folder_ >= 0) {
        ::close(folder_);
    }
}

std::string ProcessState::restore_float_mode() const {
    const std::uint64_t found = float_mode();
    if (found == float_mode_) {
        return {};
    }
    set_float_mode(float_mode_);
    return (found & ~float_mode_ & kFlushesToZero) != 0 ? "tiny numbers are flushed to zero"
                                                        : "another rounding or exception mode";
}

std::string ProcessState::restore_folder() const {
    // A folder that was already gone before cannot be compared.
    if (folder_ < 0 || is_same_folder(folder_)) {
        return {};
    }
    std::error_code ignored;
    const std::string found = std::filesystem::current_path(ignored).string();
    return "current folder " + found +
           (::fchdir(folder_) == 0 ? "" : " (it could not be put back)");
}

std::string ProcessState::restore_locale() const {
    const std::string found = std::setlocale(LC_ALL, nullptr);
    if (found == locale_) {
        return {};
    }
    std::setlocale(LC_ALL, locale_.c_str());
    return "locale " + found;
}

std::string ProcessState::restore_signals() const {
    std::string found;
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
        struct sigaction now{};
        ::sigaction(kSignals[i], nullptr, &now);
        if (now.sa_sigaction != signals_[i].sa_sigaction) {
            ::sigaction(kSignals[i], &signals_[i], nullptr);
            found = std::string("a handler of its own for ") + ::sigabbrev_np(kSignals[i]);
        }
    }
    return found;
}

std::optional<Refusal> ProcessState::restore(const std::string& when) const {
    const std::string float_mode = restore_float_mode();
    std::string others;
    for (const std::string& found : {restore_folder(), restore_locale(), restore_signals()}) {
        others += (others.empty() || found.empty() ? "" : ", ") + found;
    }
    if (!float_mode.empty()) {
        return Refusal{"plugin/changes-float-mode",
                       when + " changed the arithmetic of the whole program",
                       float_mode,
                       "the floating-point mode as it was",
                       "results of every technique would change with the plugins that are loaded",
                       "compile and link the plugin without -ffast-math and -Ofast"};
    }
    if (!others.empty()) {
        return Refusal{"plugin/changes-process-state",
                       when + " changed what belongs to the whole program",
                       others,
                       "folder, locale and signal handlers as they were",
                       "a plugin works on the network it is given and on nothing else",
                       "take the change out of the plugin"};
    }
    return std::nullopt;
}

}  // namespace topress::plugin
