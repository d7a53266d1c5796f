// Quotes what CSV would read as more than one cell.
#include "base/csv.hpp"

namespace topress {

std::string csv_cell(std::string_view text) {
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
        return std::string(text);
    }
    std::string result = "\"";
    for (const char letter : text) {
        result.append(letter == '"' ? 2 : 1, letter);
    }
    return result + "\"";
}

}  // namespace topress
