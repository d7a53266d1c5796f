// One conformance check: what it is called, what it needs to run, what it found.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace topress::conformance {

class Subject;

enum class Group : std::uint8_t { File, Load, Metadata, Configuration, Behaviour, Robustness };

/// Pass: as it should be. Warn: works, but is worth a change. Fail: a promise is broken. Skip: does
/// not apply to this plugin. Crashed: the process of the check ended without an answer.
enum class Status : std::uint8_t { Pass, Warn, Fail, Skip, Crashed };

/// How far a plugin must have come for a check to make sense.
enum class Requires : std::uint8_t {
    File,      ///< nothing: the file is looked at as bytes
    Complete,  ///< it is a whole library for this machine
    Loadable,  ///< its notes passed the gates
    Opened,    ///< the loader opened it: 'opens' is good
    Loaded,    ///< its init succeeded: 'starts' is good
};

/// What a check found. `details` are further lines below `message`.
struct Outcome {
    Status status = Status::Pass;
    std::string message;
    std::vector<std::string> details;
};

/// A row of the table of checks. `description` is one sentence: what must hold.
struct Check {
    std::string_view id;  ///< kebab-case, stable
    Group group;
    Requires needed;
    std::string_view description;
    Outcome (*run)(Subject&);
};

/// Collects what a check sees, and makes the outcome of it: the worst finding decides.
class Findings {
  public:
    void fail(std::string text);
    void warn(std::string text);
    /// Shown as a detail, whatever the outcome is.
    void note(std::string text);

    [[nodiscard]] bool empty() const { return failures_.empty() && warnings_.empty(); }

    [[nodiscard]] bool has_failures() const { return !failures_.empty(); }

    /// Pass with `passed` as the message, unless something was found.
    [[nodiscard]] Outcome outcome(std::string passed) const;

  private:
    std::vector<std::string> failures_;
    std::vector<std::string> warnings_;
    std::vector<std::string> notes_;
};

[[nodiscard]] Outcome passed(std::string message);
[[nodiscard]] Outcome skipped(std::string message);
[[nodiscard]] Outcome failed(std::string message);

/// "file", "load", "metadata", "configuration", "behaviour", "robustness".
[[nodiscard]] std::string_view to_string(Group group);
/// "pass", "warn", "fail", "skip", "crashed".
[[nodiscard]] std::string_view to_string(Status status);
[[nodiscard]] std::optional<Status> parse_status(std::string_view name);

/// All checks, by group, in the order in which they are run and shown.
[[nodiscard]] const std::vector<Check>& all_checks();

/// Null if there is none of that id.
[[nodiscard]] const Check* find_check(std::string_view id);

/// The checks of one group, each in a file of its own.
[[nodiscard]] std::vector<Check> file_checks();
[[nodiscard]] std::vector<Check> load_checks();
[[nodiscard]] std::vector<Check> metadata_checks();
[[nodiscard]] std::vector<Check> configuration_checks();
[[nodiscard]] std::vector<Check> behaviour_checks();
[[nodiscard]] std::vector<Check> promise_checks();  ///< of the group behaviour too
[[nodiscard]] std::vector<Check> robustness_checks();

}  // namespace topress::conformance
