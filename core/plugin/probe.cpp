// A child opens the library and says how it went; a child that says nothing is an answer too.
#include "plugin/probe.hpp"

#include "base/child_process.hpp"
#include "base/log.hpp"
#include "plugin/probe_cache.hpp"
#include "plugin/refusal.hpp"

#include <string_view>

namespace topress::plugin {

namespace {

namespace fs = std::filesystem;

// A plugin may print whatever it likes before and after.
constexpr std::string_view kMark = "\ntopress-probe: ";
constexpr std::string_view kRule =
    "a library is opened in a child process first; what it does there cannot hurt the program";

std::optional<ProbeVerdict> find_answer(const std::string& output) {
    const std::size_t at = output.rfind(kMark);
    if (at == std::string::npos) {
        return std::nullopt;
    }
    const std::size_t begin = at + kMark.size();
    return decode_verdict(output.substr(begin, output.find('\n', begin) - begin));
}

std::string duration(std::chrono::milliseconds time) {
    const auto ms = time.count();
    return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

// The last words, in one line.
std::string last_words(const std::string& error_tail) {
    constexpr std::size_t kMostCharacters = 400;
    std::string text = error_tail.size() > kMostCharacters
                           ? "..." + error_tail.substr(error_tail.size() - kMostCharacters)
                           : error_tail;
    while (text.ends_with('\n')) {
        text.pop_back();
    }
    for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at)) {
        text.replace(at, 1, " / ");
    }
    return text;
}

Diagnostic refuse(const fs::path& file,
                  const ChildResult& child,
                  const char* code,
                  const std::string& message,
                  const std::string& found,
                  const std::string& expected) {
    Diagnostic refusal = to_diagnostic({code,
                                        message,
                                        found,
                                        expected,
                                        std::string(kRule),
                                        "report it to the plugin's author, and take the plugin "
                                        "out of the plugin path"},
                                       file.string());
    if (!child.error_tail.empty()) {
        refusal.notes.push_back({"it wrote: " + last_words(child.error_tail), {}});
    }
    return refusal;
}

ProbeVerdict judge(const fs::path& file, const ChildResult& child, const ProbeSettings& settings) {
    ProbeVerdict verdict;
    verdict.seconds = child.seconds;
    const auto answer = find_answer(child.output);
    if (child.end == ChildResult::End::TimedOut) {
        verdict.refusal = refuse(file,
                                 child,
                                 "plugin/probe-timeout",
                                 "the plugin did not finish opening in time",
                                 "still busy after " + duration(settings.timeout),
                                 "opened, initialised and ended within that time");
    } else if (child.end == ChildResult::End::Signalled) {
        verdict.refusal =
            refuse(file,
                   child,
                   "plugin/probe-crashed",
                   "the plugin crashed when it was opened",
                   signal_name(child.signal) + (answer ? " at the end of the program" : ""),
                   "a plugin that can be opened, initialised and left");
    } else if (answer && child.code == 0) {
        verdict.refusal = answer->refusal;
    } else {
        verdict.refusal = refuse(file,
                                 child,
                                 "plugin/probe-exited",
                                 "the plugin ended the program when it was opened",
                                 "exit status " + std::to_string(child.code),
                                 "a plugin that leaves the program running");
    }
    return verdict;
}

ProbeVerdict run_probe(const fs::path& file, const ProbeSettings& settings) {
    log::debug("probes " + file.string());
    ChildOptions options;
    options.program = settings.program;
    options.arguments = settings.arguments;
    options.arguments.push_back(file.string());
    options.timeout = settings.timeout;
    return judge(file, run_child(options), settings);
}

// A machine that was busy may not be so the next time.
bool is_worth_remembering(const ProbeVerdict& verdict) {
    return !verdict.refusal || verdict.refusal->code != "plugin/probe-timeout";
}

}  // namespace

ProbeVerdict probe_library(const fs::path& file, const ProbeSettings& settings) {
    const ProbeCache cache(settings.cache, settings.build);
    const std::string key = cache.key_of(file);
    if (const auto known = cache.find(key); known && !known->refusal) {
        return *known;
    }
    ProbeVerdict verdict = run_probe(file, settings);
    // What was opened must be what the key is made from.
    if (is_worth_remembering(verdict) && cache.key_of(file) == key) {
        cache.store(key, verdict);
    }
    return verdict;
}

std::string probe_answer(const std::optional<Diagnostic>& refusal) {
    return std::string(kMark) + encode_refusal(refusal) + "\n";
}

}  // namespace topress::plugin
