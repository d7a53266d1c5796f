// The JSON documents that commands print and the output directory holds: diagnostics, order, cost.
#pragma once

#include "base/diagnostic.hpp"
#include "network/cost.hpp"
#include "order/order.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace topress::pipeline {

/// Keys keep the order in which they are written.
using Json = nlohmann::ordered_json;

/// Version of every document (`schema`).
inline constexpr int kDocumentSchema = 1;

/// The head every document has: schema, command, status ("ok" or "error", by the diagnostics),
/// diagnostics.
[[nodiscard]] Json document_head(std::string_view command, const Diagnostics& diagnostics);

/// One diagnostic with all its fields; notes only if there are any.
[[nodiscard]] Json to_json(const Diagnostic& diagnostic);
[[nodiscard]] Json to_json(const Diagnostics& diagnostics);

/// A finding back from its JSON; unknown fields are left out.
[[nodiscard]] Diagnostic diagnostic_from_json(const Json& json);

/// Adds `order`, `edges`, `ambiguities`, `forced`, `violated`, `legal_orders`, `measured` and
/// `contradicted_rules`.
void add_order(Json& document, const order::Order& order);

/// Adds `macs`, `bitops`, their expected values, `parameters`, `stored_bytes` and `operators`.
void add_cost(Json& document, const network::Cost& cost);

/// A finite number as JSON, an integer where it is one; null for NaN and infinity.
[[nodiscard]] Json number(double value);

/// The document as text: two-space indent, invalid UTF-8 replaced, newline at the end.
[[nodiscard]] std::string to_text(const Json& document);

}  // namespace topress::pipeline
