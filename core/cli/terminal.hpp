// The terminal: what standard error and standard output can show, progress.
#pragma once

#include "train/trainer.hpp"

#include <string>

namespace topress::cli {

/// What standard error and standard output can show.
struct Terminal {
    bool interactive = false;  ///< a terminal that can rewrite a line
    bool colour = false;
    int width = 80;
    bool out_colour = false;  ///< of standard output
    int out_width = 80;       ///< likewise
    bool unicode = false;     ///< drawings may use more than ASCII
};

/// Asks the system; NO_COLOR, --no-color and TERM=dumb turn colour off and keep drawings plain.
/// What goes to no terminal is 80 columns wide.
[[nodiscard]] Terminal find_terminal(bool no_color);

/// Shows how a training goes on: a bar with the time left on a terminal, else one log line per
/// epoch.
class ProgressView {
  public:
    /// `shown` false: nothing at all (--quiet).
    ProgressView(const Terminal& terminal, bool shown) : terminal_(terminal), shown_(shown) {}

    /// Name in front of the lines to come; ends the current bar.
    void set_scope(std::string scope);
    void update(const train::ProgressEvent& event);
    /// Clears the bar, so that other lines can be written.
    void clear();

  private:
    Terminal terminal_;
    bool shown_;
    std::string scope_;
    bool drawn_ = false;
};

/// "2m 05s".
[[nodiscard]] std::string duration_text(double seconds);

/// The bar for a terminal of this width, without line end.
[[nodiscard]] std::string progress_bar(const std::string& scope,
                                       const train::ProgressEvent& event,
                                       int width);

}  // namespace topress::cli
