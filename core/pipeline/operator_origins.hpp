// Which plugin's implementation of a built-in operator this process computes with: results may
// differ by it in the last bit, so it is a part of what made them.
#pragma once

#include <string>

namespace topress::pipeline {

/// Content hashes of the libraries that serve an operator; empty: the built-in one does.
struct OperatorOrigins {
    std::string quantize;
    std::string exit_gate;

    bool operator==(const OperatorOrigins&) const = default;
};

/// Call right after code of the library may have offered an implementation. Thread: main.
void note_offers_of(const std::string& library_hash);

[[nodiscard]] const OperatorOrigins& operator_origins();

}  // namespace topress::pipeline
