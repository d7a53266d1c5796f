// Plugins stay loaded, and so do their implementations: both are known per process.
#include "pipeline/operator_origins.hpp"

#include "plugin/operator_offers.hpp"

namespace topress::pipeline {
namespace {

struct Known {
    plugin::OperatorOffers offers;
    OperatorOrigins origins;
};

Known& known() {
    static Known state;
    return state;
}

}  // namespace

void note_offers_of(const std::string& library_hash) {
    const plugin::OperatorOffers now = plugin::operator_offers();
    Known& state = known();
    if (now.quantize != state.offers.quantize) {
        state.origins.quantize = library_hash;
    }
    if (now.exit_gate != state.offers.exit_gate) {
        state.origins.exit_gate = library_hash;
    }
    state.offers = now;
}

const OperatorOrigins& operator_origins() {
    return known().origins;
}

}  // namespace topress::pipeline
