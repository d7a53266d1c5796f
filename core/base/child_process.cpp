// The loop over the pipes of children, and their limits.
#include "base/child_process.hpp"

#include "base/start_program.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <deque>
#include <map>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace topress {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kOutputLimit = std::size_t{16} << 20;
constexpr std::size_t kLineLimit = std::size_t{4} << 20;  // a longer line is handed out in pieces
constexpr std::size_t kErrorLines = 20;
constexpr std::size_t kErrorLineLimit = 400;
constexpr int kPollMs = 10;

/// Cuts bytes into lines.
class Lines {
  public:
    explicit Lines(std::function<void(std::string_view)> take) : take_(std::move(take)) {}

    void add(std::string_view bytes) {
        while (!bytes.empty()) {
            const std::size_t end = bytes.find('\n');
            rest_ += bytes.substr(0, end);
            if (end == std::string_view::npos) {
                if (rest_.size() > kLineLimit) {
                    flush();
                }
                return;
            }
            bytes.remove_prefix(end + 1);
            take_(std::exchange(rest_, {}));
        }
    }

    /// Hands out a last line without an end.
    void flush() {
        if (!rest_.empty()) {
            take_(std::exchange(rest_, {}));
        }
    }

  private:
    std::function<void(std::string_view)> take_;
    std::string rest_;
};

/// A running child; killed and reaped at the latest at the end.
class Child {
  public:
    explicit Child(const ChildOptions& options)
        : started_(options.body ? start_function(options.body)
                                : start_program(options.program, options.arguments)),
          pid_(started_.process) {
        // Wakes the loop at once when the child ends; without it the loop looks every kPollMs.
        handle_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    }

    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    ~Child() {
        if (pid_ > 0) {
            kill_group(SIGKILL);
            static_cast<void>(reap());
        }
    }

    void kill_group(int signal) const { ::kill(-pid_, signal); }

    /// Waits for bytes or the end, at most so long.
    void wait(int most_ms) const {
        pollfd events[3] = {{started_.output.number(), POLLIN, 0},
                            {started_.error.number(), POLLIN, 0},
                            {handle_.number(), POLLIN, 0}};
        ::poll(events, 3, most_ms);
    }

    void read_output(Lines& lines) { read(started_.output, lines); }

    void read_error(Lines& lines) { read(started_.error, lines); }

    /// True once the child has ended; it stays to be reaped, so that its number is not given to
    /// another process.
    [[nodiscard]] bool has_ended() const {
        siginfo_t info{};
        return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
               info.si_pid == pid_;
    }

    /// The wait status.
    int reap() {
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        pid_ = -1;
        return status;
    }

    /// 0 if it cannot be read.
    [[nodiscard]] std::uint64_t resident_bytes() const {
        const std::string path = "/proc/" + std::to_string(pid_) + "/statm";
        std::FILE* file = std::fopen(path.c_str(), "re");
        if (file == nullptr) {
            return 0;
        }
        unsigned long long total = 0;
        unsigned long long resident = 0;
        const int count = std::fscanf(file, "%llu %llu", &total, &resident);
        std::fclose(file);
        return count == 2 ? resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) : 0;
    }

  private:
    /// At most what a pipe can hold, several times over: a child that never stops writing must not
    /// keep the loop from looking at the clock.
    static void read(Descriptor& from, Lines& lines) {
        char buffer[1 << 16];
        for (int piece = 0; piece < 16 && from.is_open(); ++piece) {
            const ssize_t count = ::read(from.number(), buffer, sizeof buffer);
            if (count > 0) {
                lines.add({buffer, static_cast<std::size_t>(count)});
            } else if (count == 0) {
                from.close();
            } else if (errno != EINTR) {
                return;  // nothing there now
            }
        }
    }

    StartedProgram started_;
    pid_t pid_;
    Descriptor handle_;
};

/// Why a child is stopped, and how long it still has to end by itself.
class Stopper {
  public:
    explicit Stopper(const ChildOptions& options) : options_(options), start_(Clock::now()) {}

    void look(const Child& child) {
        if (is_stopping_) {
            if (Clock::now() >= last_) {
                child.kill_group(SIGKILL);
            }
            return;
        }
        if (options_.memory_limit_bytes > 0 &&
            child.resident_bytes() > options_.memory_limit_bytes) {
            // Every moment makes it worse.
            stop(child, ChildResult::End::MemoryExceeded, SIGKILL, {});
        } else if (options_.timeout.count() > 0 && Clock::now() - start_ >= options_.timeout) {
            stop(child, ChildResult::End::TimedOut, SIGTERM, options_.timeout_grace);
        } else if (options_.cancelled && options_.cancelled()) {
            stop(child, ChildResult::End::Cancelled, SIGTERM, options_.grace);
        }
    }

    void describe(ChildResult& result, int status) const {
        result.seconds = std::chrono::duration<double>(Clock::now() - start_).count();
        result.code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
        result.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        result.end = is_stopping_         ? end_
                     : result.signal != 0 ? ChildResult::End::Signalled
                                          : ChildResult::End::Exited;
    }

  private:
    void stop(const Child& child,
              ChildResult::End end,
              int signal,
              std::chrono::milliseconds grace) {
        is_stopping_ = true;
        end_ = end;
        last_ = Clock::now() + grace;
        child.kill_group(signal);
    }

    const ChildOptions& options_;
    Clock::time_point start_;
    Clock::time_point last_;
    ChildResult::End end_ = ChildResult::End::Exited;
    bool is_stopping_ = false;
};

std::string joined(const std::deque<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) {
        text += line;
        text += '\n';
    }
    return text;
}

/// A child, what it said so far, and its limits. Stays where it was made.
class RunningChild {
  public:
    explicit RunningChild(ChildOptions options)
        : options_(std::move(options)),
          output_([this](std::string_view line) { take_output(line); }),
          error_([this](std::string_view line) { take_error(line); }),
          stopper_(options_),
          child_(options_) {}

    RunningChild(const RunningChild&) = delete;
    RunningChild& operator=(const RunningChild&) = delete;

    /// Listens, for at most so long; true once the child has ended.
    bool step(int most_ms) {
        child_.wait(most_ms);
        const bool has_ended = child_.has_ended();  // before reading: nothing of it can be missed
        child_.read_output(output_);
        child_.read_error(error_);
        if (!has_ended) {
            stopper_.look(child_);
        }
        return has_ended;
    }

    /// Requires: step() said that it has ended.
    ChildResult finish() {
        child_.kill_group(SIGKILL);  // what it left running
        stopper_.describe(result_, child_.reap());
        output_.flush();
        error_.flush();
        result_.error_tail = joined(tail_);
        return std::move(result_);
    }

  private:
    void take_output(std::string_view line) {
        if (options_.on_line) {
            options_.on_line(line);
        } else if (result_.output.size() + line.size() < kOutputLimit) {
            result_.output.append(line).append(1, '\n');
        }
    }

    void take_error(std::string_view line) {
        tail_.emplace_back(line.substr(0, kErrorLineLimit));
        if (tail_.size() > kErrorLines) {
            tail_.pop_front();
        }
    }

    ChildOptions options_;
    ChildResult result_;
    std::deque<std::string> tail_;
    Lines output_;
    Lines error_;
    Stopper stopper_;
    Child child_;
};

}  // namespace

ChildResult run_child(const ChildOptions& options) {
    RunningChild child(options);
    while (!child.step(kPollMs)) {
    }
    return child.finish();
}

void run_children(std::size_t count,
                  std::size_t at_once,
                  const std::function<std::optional<ChildOptions>(std::size_t)>& make,
                  const std::function<void(std::size_t, const ChildResult&)>& ended) {
    std::map<std::size_t, RunningChild> running;
    std::size_t next = 0;
    while (next < count || !running.empty()) {
        for (; next < count && running.size() < std::max<std::size_t>(at_once, 1); ++next) {
            if (const std::optional<ChildOptions> child = make(next)) {
                running.try_emplace(next, *child);
            }
        }
        if (running.empty()) {
            continue;
        }
        const int share_ms = std::max(1, kPollMs / static_cast<int>(running.size()));
        for (auto child = running.begin(); child != running.end();) {
            if (child->second.step(share_ms)) {
                ended(child->first, child->second.finish());
                child = running.erase(child);
            } else {
                ++child;
            }
        }
    }
}

std::filesystem::path own_program() {
    std::error_code failure;
    std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe", failure);
    if (failure) {
        throw cannot_start("/proc/self/exe", failure.value());
    }
    return path;
}

std::string signal_name(int signal) {
    const char* name = ::sigabbrev_np(signal);
    return name == nullptr ? "signal " + std::to_string(signal) : std::string("SIG") + name;
}

}  // namespace topress
