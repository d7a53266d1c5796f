// Terminal properties and progress.
#include "cli/terminal.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/ioctl.h>
#include <unistd.h>

namespace topress::cli {
namespace {

bool is_set(const char* variable) {
    const char* value = std::getenv(variable);
    return value != nullptr && *value != '\0';
}

bool is_dumb() {
    const char* term = std::getenv("TERM");
    return term == nullptr || std::strcmp(term, "dumb") == 0;
}

/// The locale's characters are UTF-8, by the first variable that says anything.
bool is_utf8() {
    for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        if (is_set(variable)) {
            std::string name = std::getenv(variable);
            std::ranges::transform(name, name.begin(), [](unsigned char c) {
                return static_cast<char>(std::tolower(c));
            });
            return name.find("utf-8") != std::string::npos ||
                   name.find("utf8") != std::string::npos;
        }
    }
    return false;
}

int columns_of(int descriptor) {
    winsize size{};
    return ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string figure(double value, int digits) {
    char text[32];
    std::snprintf(text, sizeof text, "%.*f", digits, value);
    return text;
}

std::string loss_text(double loss) {
    return std::isfinite(loss) ? " loss " + figure(loss, 4) : "";
}

double share_done(const train::ProgressEvent& event) {
    return event.steps == 0 ? 0
                            : static_cast<double>(event.step) / static_cast<double>(event.steps);
}

}  // namespace

Terminal find_terminal(bool no_color) {
    Terminal terminal;
    terminal.interactive = isatty(STDERR_FILENO) == 1 && !is_dumb();
    terminal.colour = terminal.interactive && !no_color && !is_set("NO_COLOR");
    terminal.width = columns_of(STDERR_FILENO);
    const bool is_plain = no_color || is_set("NO_COLOR") || is_dumb();
    terminal.out_colour = isatty(STDOUT_FILENO) == 1 && !is_plain;
    terminal.out_width = columns_of(STDOUT_FILENO);
    terminal.unicode = is_utf8() && !is_plain;
    return terminal;
}

std::string duration_text(double seconds) {
    const auto whole = static_cast<long>(std::lround(std::max(0.0, seconds)));
    char text[32];
    if (whole < 60) {
        std::snprintf(text, sizeof text, "%lds", whole);
    } else if (whole < 3600) {
        std::snprintf(text, sizeof text, "%ldm %02lds", whole / 60, whole % 60);
    } else {
        std::snprintf(text, sizeof text, "%ldh %02ldm", whole / 3600, whole / 60 % 60);
    }
    return text;
}

std::string progress_bar(const std::string& scope, const train::ProgressEvent& event, int width) {
    const double done = share_done(event);
    std::string tail = std::string(" ").append(figure(100 * done, 0)) + "%" + loss_text(event.loss);
    if (event.eta_seconds > 0) {
        tail.append(" ").append(duration_text(event.eta_seconds)).append(" left");
    }
    const std::string name =
        scope.empty() || scope == event.phase ? event.phase : "[" + scope + "] " + event.phase;
    const int room = width - static_cast<int>(name.size() + tail.size()) - 4;
    if (room < 5) {
        return (name + tail).substr(0, static_cast<std::size_t>(std::max(0, width - 1)));
    }
    const int cells = std::min(room, 40);
    const int full = std::clamp(static_cast<int>(done * cells), 0, cells);
    return name + " [" + std::string(static_cast<std::size_t>(full), '=') +
           std::string(static_cast<std::size_t>(cells - full), ' ') + "]" + tail;
}

void ProgressView::set_scope(std::string scope) {
    clear();
    scope_ = std::move(scope);
}

void ProgressView::clear() {
    if (drawn_) {
        std::fputs("\r\033[K", stderr);
        std::fflush(stderr);
        drawn_ = false;
    }
}

void ProgressView::update(const train::ProgressEvent& event) {
    if (event.epoch_end) {
        clear();
        std::string of_all = event.epochs > 0 ? "/" : "";
        of_all += event.epochs > 0 ? figure(event.epochs, 1) : "";
        std::string left = event.eta_seconds > 0 ? " left=" : "";
        left += event.eta_seconds > 0 ? duration_text(event.eta_seconds) : "";
        log::write(log::Level::Info,
                   event.phase + " epoch " + figure(event.epoch, 1) + of_all +
                       loss_text(event.loss) + left,
                   scope_);
    } else if (shown_ && terminal_.interactive) {
        // The cursor goes back to the start of the line: a log message then writes over the bar.
        std::fprintf(stderr, "\r\033[K%s\r", progress_bar(scope_, event, terminal_.width).c_str());
        std::fflush(stderr);
        drawn_ = true;
    }
}

}  // namespace topress::cli
