// Sections of the page, top to bottom.
#include "cli/plan_page.hpp"

#include "cli/table.hpp"
#include "order/drawing.hpp"
#include "order/explain.hpp"

#include <algorithm>
#include <vector>

namespace topress::cli {
namespace {

constexpr int kWidest = 100;  // longer lines of prose are hard to read

std::size_t width_of(const Terminal& terminal) {
    return static_cast<std::size_t>(std::clamp(terminal.out_width, 40, kWidest));
}

std::string heading(const std::string& text, const Terminal& terminal) {
    return terminal.out_colour ? "\033[1m" + text + "\033[0m" : text;
}

/// A source in brackets counts as one word while it is short.
std::size_t end_of_word(const std::string& line, std::size_t at) {
    constexpr std::size_t kLongestSource = 30;
    const std::size_t close = line[at] == '[' ? line.find(']', at) : std::string::npos;
    const bool is_source = close != std::string::npos && close - at <= kLongestSource;
    return std::min(line.find(' ', is_source ? close : at), line.size());
}

/// The line in lines of at most `width` columns; continued two columns further in, or `hang`.
std::string wrapped(const std::string& line, std::size_t width, std::size_t hang = 0) {
    const std::size_t first = std::min(line.find_first_not_of(' '), line.size());
    const std::string indent(hang > 0 ? hang : first + 2, ' ');
    std::string result;
    std::string current(first, ' ');
    bool is_empty = true;
    for (std::size_t at = first; at < line.size();) {
        const std::size_t end = end_of_word(line, at);
        const std::string word = line.substr(at, end - at);
        if (!is_empty && order::columns_of(current) + 1 + order::columns_of(word) > width) {
            result += current + "\n";
            current = indent;
            is_empty = true;
        }
        current += (is_empty ? "" : " ") + word;
        is_empty = false;
        at = end + 1;
    }
    return result + current + "\n";
}

/// Grounds are a block below their pairs.
std::size_t hang_of(const std::string& line) {
    return std::min(line.find_first_not_of(' '), line.size());
}

/// Sections begin at the left edge, behind an empty line.
std::string reasons(const pipeline::Plan& plan, const Terminal& terminal) {
    std::string text;
    const std::vector<std::string> lines = order::explain(plan.order);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const bool is_section = i > plan.order.places.size() && !lines[i].starts_with(' ');
        text += is_section ? std::string("\n") + heading(lines[i], terminal) + "\n"
                           : wrapped(lines[i], width_of(terminal), hang_of(lines[i]));
    }
    return text;
}

std::string drawing(const pipeline::Plan& plan, const Terminal& terminal) {
    std::string text;
    for (const std::string& line :
         order::draw(plan.order, {terminal.unicode, width_of(terminal)})) {
        text += line + "\n";
    }
    return text.empty() ? "" : text + "\n";
}

std::string removals(const pipeline::Plan& plan, const Terminal& terminal) {
    if (plan.stages.size() < 2) {
        return "";
    }
    std::string text = std::string("\n") + heading("without one of them", terminal) + "\n";
    if (!plan.removals) {
        return text + wrapped("  not derived: that is done for up to " +
                                  std::to_string(order::kMostRemovals) +
                                  " techniques, and here are " + std::to_string(plan.stages.size()),
                              width_of(terminal));
    }
    std::size_t widest = 0;
    for (const order::Removal& removal : *plan.removals) {
        widest = std::max(widest, order::columns_of(removal.label));
    }
    for (const order::Removal& removal : *plan.removals) {
        const std::string padding(widest - order::columns_of(removal.label), ' ');
        const std::string name = "  without " + removal.label + padding + "  ";
        const std::size_t hang = std::min<std::size_t>(order::columns_of(name), 40);
        // The name is laid out by hand: wrapping keeps single spaces only between words.
        const std::string rest =
            wrapped(std::string(hang, ' ') + order::describe(removal), width_of(terminal), hang);
        text += name + rest.substr(hang);
    }
    return text;
}

std::string figure(const std::optional<double>& value, pipeline::EstimateState state) {
    return value                                            ? with_unit(*value)
           : state == pipeline::EstimateState::MeasuredOnly ? "measured only"
                                                            : "?";
}

std::string epochs_text(const std::optional<double>& epochs) {
    return !epochs ? "?" : *epochs == 0 ? "-" : fixed(*epochs, 2);
}

std::vector<std::string> cells_of(const pipeline::StageEstimate& row) {
    return {row.label,
            figure(row.macs, row.state),
            row.bitops ? with_unit(*row.bitops)
            : row.macs ? "?"
                       : "",
            row.bitops_cr ? fixed(*row.bitops_cr, *row.bitops_cr < 100 ? 2 : 0) + "x" : "",
            epochs_text(row.epochs)};
}

bool has_unknown(const pipeline::Estimate& estimate) {
    return std::ranges::any_of(estimate.stages, [](const pipeline::StageEstimate& row) {
        return row.state == pipeline::EstimateState::Unknown || !row.epochs;
    });
}

std::string training_text(const pipeline::Estimate& estimate) {
    std::string text =
        estimate.knows_all_epochs ? "training in all: " : "training in all: at least ";
    text += fixed(estimate.epochs, 2) + " epochs";
    if (estimate.train_samples) {
        text += " of " + grouped(static_cast<double>(*estimate.train_samples)) +
                " samples = " + with_unit(*estimate.sample_passes()) + " sample passes";
    }
    return text;
}

std::string cost(const pipeline::Estimate& estimate, const Terminal& terminal) {
    std::vector<std::vector<std::string>> lines;
    for (const pipeline::StageEstimate& row : estimate.stages) {
        lines.push_back(cells_of(row));
    }
    std::string text =
        std::string("\n") + heading("estimated, before anything runs", terminal) + "\n";
    const std::string table =
        render_table({"stage", "MACs", "BitOps", "BitOpsCR", "epochs"}, lines);
    for (std::size_t at = 0; at < table.size();) {
        const std::size_t end = table.find('\n', at);
        text += "  " + table.substr(at, end - at) + "\n";
        at = end + 1;
    }
    if (has_unknown(estimate)) {
        text += wrapped(
            "  ?: not declared, or decided during the run; later rows go on as if it "
            "changed nothing",
            width_of(terminal));
    }
    return text + wrapped("  " + training_text(estimate), width_of(terminal));
}

}  // namespace

std::string plan_page(const pipeline::Plan& plan,
                      const pipeline::Estimate& estimate,
                      const Terminal& terminal) {
    return drawing(plan, terminal) + reasons(plan, terminal) + removals(plan, terminal) +
           cost(estimate, terminal);
}

}  // namespace topress::cli
