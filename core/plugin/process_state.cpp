// Snapshots through the control register, a descriptor of the folder, setlocale, umask, sigaction
// and environ.
#include "plugin/process_state.hpp"

#include <charconv>
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

// There is no way to ask for it without setting it.
unsigned file_mask() {
    const mode_t mask = ::umask(077);
    ::umask(mask);
    return mask;
}

std::map<std::string, std::string> environment() {
    std::map<std::string, std::string> variables;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string text = *entry;
        const std::size_t equals = text.find('=');
        variables[text.substr(0, equals)] =
            equals == std::string::npos ? std::string() : text.substr(equals + 1);
    }
    return variables;
}

std::string name_of(int signal) {
    const char* name = ::sigabbrev_np(signal);
    return name == nullptr ? std::to_string(signal) : name;
}

// A name that is new, gone or of another value.
std::vector<std::string> different(const std::map<std::string, std::string>& before,
                                   const std::map<std::string, std::string>& now) {
    std::vector<std::string> names;
    for (const auto& [name, value] : now) {
        const auto old = before.find(name);
        if (old == before.end() || old->second != value) {
            names.push_back(name);
        }
    }
    for (const auto& [name, value] : before) {
        if (!now.contains(name)) {
            names.push_back(name);
        }
    }
    return names;
}

std::string joined(const std::vector<ProcessChange>& changes, bool is_float_mode) {
    std::string text;
    for (const ProcessChange& change : changes) {
        const bool is_wanted = change.kind != ProcessChange::Kind::Environment &&
                               (change.kind == ProcessChange::Kind::FloatMode) == is_float_mode;
        text += is_wanted ? (text.empty() ? "" : ", ") + change.found : std::string();
    }
    return text;
}

}  // namespace

ProcessState::ProcessState()
    : float_mode_(float_mode()),
      folder_(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)),
      locale_(std::setlocale(LC_ALL, nullptr)),
      file_mask_(file_mask()),
      environment_(environment()) {
    for (int number = 1; number < kSignalEnd; ++number) {
        ::sigaction(number, nullptr, &signals_[static_cast<std::size_t>(number)]);
    }
}

ProcessState::~ProcessState() {
    if (folder_ >= 0) {
        ::close(folder_);
    }
}

std::vector<ProcessChange> ProcessState::changes() const {
    using Kind = ProcessChange::Kind;
    std::vector<ProcessChange> found;
    if (const std::uint64_t now = float_mode(); now != float_mode_) {
        found.push_back({Kind::FloatMode,
                         (now & ~float_mode_ & kFlushesToZero) != 0
                             ? "tiny numbers are flushed to zero"
                             : "another rounding or exception mode"});
    }
    // A folder that was already gone before cannot be compared.
    if (folder_ >= 0 && !is_same_folder(folder_)) {
        std::error_code ignored;
        found.push_back(
            {Kind::Folder, "current folder " + std::filesystem::current_path(ignored).string()});
    }
    if (const std::string now = std::setlocale(LC_ALL, nullptr); now != locale_) {
        found.push_back({Kind::Locale, "locale " + now});
    }
    if (file_mask() != file_mask_) {
        found.push_back({Kind::FileMask, "another file mode mask"});
    }
    for (int number = 1; number < kSignalEnd; ++number) {
        struct sigaction now{};
        ::sigaction(number, nullptr, &now);
        if (now.sa_sigaction != signals_[static_cast<std::size_t>(number)].sa_sigaction) {
            found.push_back({Kind::Signal, "a handler of its own for " + name_of(number)});
        }
    }
    for (const std::string& name : different(environment_, environment())) {
        found.push_back({Kind::Environment, "the environment variable " + name});
    }
    return found;
}

void ProcessState::put_back() const {
    set_float_mode(float_mode_);
    if (folder_ >= 0) {
        [[maybe_unused]] const int failure = ::fchdir(folder_);  // it may be gone by now
    }
    std::setlocale(LC_ALL, locale_.c_str());
    ::umask(file_mask_);
    for (int number = 1; number < kSignalEnd; ++number) {
        ::sigaction(number, &signals_[static_cast<std::size_t>(number)], nullptr);
    }
}

std::optional<Refusal> ProcessState::restore(const std::string& when) const {
    const std::vector<ProcessChange> found = changes();
    const std::string float_mode = joined(found, true);
    const std::string others = joined(found, false);
    if (!float_mode.empty() || !others.empty()) {
        put_back();
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
                       "folder, locale, file mode mask and signal handlers as they were",
                       "a plugin works on the network it is given and on nothing else",
                       "take the change out of the plugin"};
    }
    return std::nullopt;
}

std::set<int> thread_numbers() {
    std::set<int> numbers;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
        const std::string name = entry.path().filename().string();
        int number = 0;
        std::from_chars(name.data(), name.data() + name.size(), number);
        numbers.insert(number);
    }
    return numbers;
}

std::optional<Refusal> find_new_threads(const std::set<int>& before, const std::string& when) {
    std::size_t started = 0;
    for (const int number : thread_numbers()) {
        started += before.contains(number) ? 0 : 1;
    }
    if (started == 0) {
        return std::nullopt;
    }
    return Refusal{"plugin/changes-process-state",
                   when + " changed what belongs to the whole program",
                   std::to_string(started) + (started == 1 ? " new thread" : " new threads"),
                   "no thread of a plugin that does not run",
                   "a plugin works on the network it is given and on nothing else",
                   "start threads in init or later, and end them in quiesce"};
}

}  // namespace topress::plugin
