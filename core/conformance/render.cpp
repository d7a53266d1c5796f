// Text, JSON and JUnit forms of a report.
#include "conformance/render.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace topress::conformance {
namespace {

constexpr std::array<Group, 6> kGroups = {Group::File,
                                          Group::Load,
                                          Group::Metadata,
                                          Group::Configuration,
                                          Group::Behaviour,
                                          Group::Robustness};

std::string seconds_text(double seconds) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.2f s", seconds);
    return text.data();
}

std::string padded(std::string_view text, std::size_t width) {
    std::string result(text);
    result.resize(std::max(width, result.size()), ' ');
    return result;
}

std::size_t widest_id() {
    std::size_t widest = 0;
    for (const Check& check : all_checks()) {
        widest = std::max(widest, check.id.size());
    }
    return widest;
}

bool is_problem(const Result& result) {
    const Status status = result.outcome.status;
    return status == Status::Warn || status == Status::Fail || status == Status::Crashed;
}

std::string result_line(const Result& result, std::size_t width, bool verbose) {
    std::string text("  ");
    text.append(padded(to_string(result.outcome.status), 9));
    text.append(padded(result.check->id, width + 2)).append(result.outcome.message).append("\n");
    if (verbose) {
        for (const std::string& detail : result.outcome.details) {
            text.append(13, ' ').append(detail).append("\n");
        }
    }
    return text;
}

std::string problem_text(const Result& result) {
    std::string text("\n");
    text.append(to_string(result.outcome.status)).append("  ").append(result.check->id);
    text.append(": ").append(result.outcome.message).append("\n");
    for (const std::string& detail : result.outcome.details) {
        text.append("  ").append(detail).append("\n");
    }
    text.append("  expected: ").append(result.check->description).append("\n");
    return text.append("  again:    ").append(result.reproduce).append("\n");
}

std::string counted(std::size_t count, const char* what) {
    std::string text;
    if (count != 0) {
        text.append(", ").append(std::to_string(count)).append(" ").append(what);
    }
    return text;
}

std::string summary(const Report& report) {
    std::string text("\n");
    text.append(std::to_string(report.results.size())).append(" checks: ");
    text.append(std::to_string(report.count(Status::Pass))).append(" passed");
    text.append(counted(report.count(Status::Warn), "with a warning"));
    text.append(counted(report.count(Status::Fail), "failed"));
    text.append(counted(report.count(Status::Crashed), "crashed"));
    text.append(counted(report.count(Status::Skip), "skipped"));
    return text.append(", in ").append(seconds_text(report.seconds)).append("\n");
}

std::string escaped(std::string_view text) {
    std::string result;
    for (const char c : text) {
        switch (c) {
            case '&':
                result += "&amp;";
                break;
            case '<':
                result += "&lt;";
                break;
            case '>':
                result += "&gt;";
                break;
            case '"':
                result += "&quot;";
                break;
            default:
                // XML 1.0 has no form for control characters.
                result += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? '?' : c;
        }
    }
    return result;
}

std::string all_details(const Result& result) {
    std::string text = result.outcome.message;
    for (const std::string& detail : result.outcome.details) {
        text.append("\n").append(detail);
    }
    return text.append("\n").append(result.reproduce).append("\n");
}

/// `<NAME message="...">all details</NAME>`
std::string junit_problem(const char* name, const Result& result) {
    std::string text("<");
    text.append(name).append(" message=\"").append(escaped(result.outcome.message)).append("\">");
    return text.append(escaped(all_details(result))).append("</").append(name).append(">");
}

std::string junit_outcome(const Result& result) {
    switch (result.outcome.status) {
        case Status::Fail:
            return junit_problem("failure", result);
        case Status::Crashed:
            return junit_problem("error", result);
        case Status::Skip:
            return junit_problem("skipped", result);
        case Status::Warn:
            return std::string("<system-out>warning: ")
                .append(escaped(all_details(result)))
                .append("</system-out>");
        case Status::Pass:
            break;
    }
    return {};
}

std::string junit_case(const Result& result) {
    std::string text("    <testcase classname=\"");
    text.append(to_string(result.check->group)).append("\" name=\"").append(result.check->id);
    text.append("\" time=\"").append(std::to_string(result.seconds)).append("\">");
    return text.append(junit_outcome(result)).append("</testcase>\n");
}

/// One suite; empty when no check of the group was run.
std::string junit_suite(const Report& report, Group group) {
    std::array<std::size_t, 5> counts{};
    std::size_t all = 0;
    std::string cases;
    for (const Result& result : report.results) {
        if (result.check->group == group) {
            ++all;
            ++counts.at(static_cast<std::size_t>(result.outcome.status));
            cases.append(junit_case(result));
        }
    }
    if (all == 0) {
        return {};
    }
    const auto number = [&counts](Status status) {
        return std::to_string(counts.at(static_cast<std::size_t>(status)));
    };
    std::string text("  <testsuite name=\"");
    text.append(to_string(group)).append("\" tests=\"").append(std::to_string(all));
    text.append("\" failures=\"").append(number(Status::Fail));
    text.append("\" errors=\"").append(number(Status::Crashed));
    text.append("\" skipped=\"").append(number(Status::Skip)).append("\">\n");
    return text.append(cases).append("  </testsuite>\n");
}

}  // namespace

std::string to_text(const Report& report, bool verbose) {
    std::string text = report.file;
    if (!report.plugin.empty()) {
        text.append("  (").append(report.plugin).append(" ").append(report.version).append(")");
    }
    text.append("\n");
    const std::size_t width = widest_id();
    std::string problems;
    for (const Group group : kGroups) {
        std::string lines;
        for (const Result& result : report.results) {
            if (result.check->group == group) {
                lines.append(result_line(result, width, verbose));
                problems.append(is_problem(result) ? problem_text(result) : std::string());
            }
        }
        if (!lines.empty()) {
            text.append(to_string(group)).append("\n").append(lines);
        }
    }
    return text.append(problems).append(summary(report));
}

void add_report(pipeline::Json& document, const Report& report) {
    document["file"] = report.file;
    document["plugin"] = report.plugin;
    document["version"] = report.version;
    document["seed"] = report.seed;
    document["seconds"] = pipeline::number(report.seconds);
    for (const Status status :
         {Status::Pass, Status::Warn, Status::Fail, Status::Skip, Status::Crashed}) {
        document["summary"][std::string(to_string(status))] = report.count(status);
    }
    document["checks"] = pipeline::Json::array();
    for (const Result& result : report.results) {
        pipeline::Json json;
        json["id"] = result.check->id;
        json["group"] = to_string(result.check->group);
        json["status"] = to_string(result.outcome.status);
        json["message"] = result.outcome.message;
        json["details"] = result.outcome.details;
        json["seconds"] = pipeline::number(result.seconds);
        json["reproduce"] = result.reproduce;
        document["checks"].push_back(std::move(json));
    }
}

std::string to_junit(const Report& report) {
    std::string text("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"");
    text.append(escaped(std::string("topress plugin check ").append(report.file)));
    text.append("\">\n");
    for (const Group group : kGroups) {
        text.append(junit_suite(report, group));
    }
    return text.append("</testsuites>\n");
}

std::string list_text() {
    std::string text;
    const std::size_t width = widest_id();
    for (const Group group : kGroups) {
        text.append(to_string(group)).append("\n");
        for (const Check& check : all_checks()) {
            if (check.group == group) {
                text.append("  ").append(padded(check.id, width + 2));
                text.append(check.description).append("\n");
            }
        }
    }
    return text.append(std::to_string(all_checks().size())).append(" checks\n");
}

void add_list(pipeline::Json& document) {
    document["checks"] = pipeline::Json::array();
    for (const Check& check : all_checks()) {
        document["checks"].push_back({{"id", check.id},
                                      {"group", to_string(check.group)},
                                      {"description", check.description}});
    }
}

}  // namespace topress::conformance
