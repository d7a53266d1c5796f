// Between fork and exec only calls that are safe in a program with threads: the child of such a
// program has one thread, and whatever locks were held. A fork that goes on without exec is for
// programs with one thread only.
#include "base/start_program.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace topress {
namespace {

constexpr int kCannotExecute = 127;

struct Pipe {
    Descriptor reader;
    Descriptor writer;
};

Pipe make_pipe(const std::filesystem::path& program) {
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        throw cannot_start(program, errno);
    }
    return {Descriptor(ends[0]), Descriptor(ends[1])};
}

/// Marks everything but the standard streams to be closed by exec, also what others opened without
/// O_CLOEXEC.
void close_others_on_exec() {
    constexpr unsigned kFirst = 3;
    constexpr unsigned kCloseOnExec = 1U << 2U;  // CLOSE_RANGE_CLOEXEC
    if (::syscall(SYS_close_range, kFirst, ~0U, kCloseOnExec) == 0) {
        return;
    }
    const long count = ::sysconf(_SC_OPEN_MAX);
    for (int number = 3; number < (count > 0 ? count : 1024); ++number) {
        ::fcntl(number, F_SETFD, FD_CLOEXEC);
    }
}

void reset_signals() {
    sigset_t none;
    ::sigemptyset(&none);
    ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
    for (const int ignored : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD}) {
        ::signal(ignored, SIG_DFL);
    }
}

struct Streams {
    int input = -1;
    int output = -1;
    int error = -1;
    int failure = -1;  ///< gets errno if exec fails
};

/// The first steps of a child: a group of its own, its parent's end, signals, streams. False: the
/// streams cannot be set, see errno.
bool settle(const Streams& streams, pid_t parent) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) {  // it died before the line above
        ::_exit(kCannotExecute);
    }
    reset_signals();
    return ::dup2(streams.input, 0) >= 0 && ::dup2(streams.output, 1) >= 0 &&
           ::dup2(streams.error, 2) >= 0;
}

[[noreturn]] void become(const char* program,
                         char* const* arguments,
                         const Streams& streams,
                         pid_t parent) {
    if (settle(streams, parent)) {
        close_others_on_exec();
        ::execv(program, arguments);
    }
    const int reason = errno;
    [[maybe_unused]] const ssize_t told = ::write(streams.failure, &reason, sizeof reason);
    ::_exit(kCannotExecute);
}

/// An exception must not leave: the frames above are its parent's.
[[noreturn]] void run_to_end(const std::function<int()>& body) noexcept {
    std::exit(body());
}

StartedProgram started(pid_t child, Pipe& output, Pipe& error) {
    ::fcntl(output.reader.number(), F_SETFL, O_NONBLOCK);
    ::fcntl(error.reader.number(), F_SETFL, O_NONBLOCK);
    return {child, std::move(output.reader), std::move(error.reader)};
}

/// The pipe closes at exec; a number in it is the reason why there was none.
int failure_of(const Descriptor& failure) {
    int reason = 0;
    ssize_t count = 0;
    do {
        count = ::read(failure.number(), &reason, sizeof reason);
    } while (count < 0 && errno == EINTR);
    return count == static_cast<ssize_t>(sizeof reason) ? reason : 0;
}

/// As exec wants them; valid as long as `texts` is.
std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& text : texts) {
        pointers.push_back(text.data());
    }
    pointers.push_back(nullptr);
    return pointers;
}

}  // namespace

StartedProgram start_program(const std::filesystem::path& program,
                             const std::vector<std::string>& arguments) {
    const Descriptor input(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    Pipe output = make_pipe(program);
    Pipe error = make_pipe(program);
    Pipe failure = make_pipe(program);
    // Everything that allocates happens before fork.
    std::vector<std::string> texts = {program.string()};
    texts.insert(texts.end(), arguments.begin(), arguments.end());
    const std::vector<char*> pointers = pointers_to(texts);
    const Streams streams{
        input.number(), output.writer.number(), error.writer.number(), failure.writer.number()};
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) {
        become(pointers.front(), pointers.data(), streams, parent);
    }
    if (child < 0) {
        throw cannot_start(program, errno);
    }
    ::setpgid(child, child);  // whoever comes first, so that the group exists for both
    failure.writer.close();
    if (const int reason = failure_of(failure.reader); reason != 0) {
        ::waitpid(child, nullptr, 0);
        throw cannot_start(program, reason);
    }
    return started(child, output, error);
}

StartedProgram start_function(const std::function<int()>& body) {
    const Descriptor input(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    Pipe output = make_pipe("/proc/self/exe");
    Pipe error = make_pipe("/proc/self/exe");
    std::fflush(nullptr);  // else both processes write what is still to be written
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) {
        if (!settle({input.number(), output.writer.number(), error.writer.number()}, parent)) {
            ::_exit(kCannotExecute);
        }
        run_to_end(body);
    }
    if (child < 0) {
        throw cannot_start("/proc/self/exe", errno);
    }
    ::setpgid(child, child);
    return started(child, output, error);
}

Error cannot_start(const std::filesystem::path& program, int reason) {
    return Error("process/cannot-start",
                 "cannot start '" + program.string() + "': " + std::strerror(reason),
                 program.string(),
                 "check that the file exists and may be executed, and that processes are not "
                 "limited (ulimit -u)");
}

}  // namespace topress
