// The table of checks, findings, names of groups and statuses.
#include "conformance/check.hpp"

#include <array>
#include <iterator>
#include <utility>

namespace topress::conformance {
namespace {

constexpr std::array<std::string_view, 6> kGroupNames = {
    "file", "load", "metadata", "configuration", "behaviour", "robustness"};
constexpr std::array<std::string_view, 5> kStatusNames = {
    "pass", "warn", "fail", "skip", "crashed"};

void append(std::vector<std::string>& target, const std::vector<std::string>& more) {
    target.insert(target.end(), more.begin(), more.end());
}

}  // namespace

void Findings::fail(std::string text) {
    failures_.push_back(std::move(text));
}

void Findings::warn(std::string text) {
    warnings_.push_back(std::move(text));
}

void Findings::note(std::string text) {
    notes_.push_back(std::move(text));
}

Outcome Findings::outcome(std::string passed) const {
    Outcome result{Status::Pass, std::move(passed), {}};
    std::vector<std::string> found = failures_;
    append(found, warnings_);
    if (!found.empty()) {
        result.status = failures_.empty() ? Status::Warn : Status::Fail;
        result.message = found.front();
        result.details.assign(found.begin() + 1, found.end());
    }
    append(result.details, notes_);
    return result;
}

Outcome passed(std::string message) {
    return {Status::Pass, std::move(message), {}};
}

Outcome skipped(std::string message) {
    return {Status::Skip, std::move(message), {}};
}

Outcome failed(std::string message) {
    return {Status::Fail, std::move(message), {}};
}

std::string_view to_string(Group group) {
    return kGroupNames.at(static_cast<std::size_t>(group));
}

std::string_view to_string(Status status) {
    return kStatusNames.at(static_cast<std::size_t>(status));
}

std::optional<Status> parse_status(std::string_view name) {
    for (std::size_t i = 0; i < kStatusNames.size(); ++i) {
        if (kStatusNames.at(i) == name) {
            return static_cast<Status>(i);
        }
    }
    return std::nullopt;
}

const std::vector<Check>& all_checks() {
    static const std::vector<Check> kChecks = [] {
        std::vector<Check> checks;
        for (const auto& group : {file_checks(),
                                  load_checks(),
                                  metadata_checks(),
                                  configuration_checks(),
                                  behaviour_checks(),
                                  promise_checks(),
                                  robustness_checks()}) {
            checks.insert(checks.end(), group.begin(), group.end());
        }
        return checks;
    }();
    return kChecks;
}

const Check* find_check(std::string_view id) {
    for (const Check& check : all_checks()) {
        if (check.id == id) {
            return &check;
        }
    }
    return nullptr;
}

}  // namespace topress::conformance
