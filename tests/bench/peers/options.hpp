// Arguments of the programs beside the peers: --name NUMBER, as compare.py hands them over.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

namespace topress::bench {

/// Sets what the arguments name; false, with a line on standard error, for an unknown one.
inline bool read_options(int count,
                         char** arguments,
                         const std::map<std::string, std::int64_t*>& options) {
    for (int i = 1; i + 1 < count; i += 2) {
        const auto option = options.find(arguments[i]);
        if (option == options.end()) {
            std::fprintf(stderr, "unknown option %s\n", arguments[i]);
            return false;
        }
        *option->second = std::atoll(arguments[i + 1]);
    }
    return true;
}

}  // namespace topress::bench
