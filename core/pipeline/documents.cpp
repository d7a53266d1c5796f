// JSON documents: see documents.hpp; keys are a contract (docs/cli.md).
#include "pipeline/documents.hpp"

#include <cmath>

namespace topress::pipeline {
namespace {

std::string_view severity_name(Severity severity) {
    switch (severity) {
        case Severity::Note:
            return "note";
        case Severity::Info:
            return "info";
        case Severity::Warning:
            return "warning";
        case Severity::Error:
            break;
    }
    return "error";
}

Severity parse_severity(const std::string& name) {
    if (name == "note") {
        return Severity::Note;
    }
    if (name == "info") {
        return Severity::Info;
    }
    return name == "warning" ? Severity::Warning : Severity::Error;
}

void add_location(Json& json, const Location& location) {
    json["file"] = location.file;
    json["line"] = location.line;
    json["column"] = location.column;
}

Location location_from_json(const Json& json) {
    return {json.value("file", ""), json.value("line", 0), json.value("column", 0), 0};
}

Json to_json(const order::Edge& edge) {
    Json json;
    json["before"] = edge.before;
    json["after"] = edge.after;
    json["strength"] = order::to_string(edge.strength);
    json["origin"] = order::to_string(edge.where.origin);
    json["declared_by"] = edge.where.declared_by;
    json["file"] = edge.where.file;
    json["line"] = edge.where.line;
    json["reason"] = edge.reason;
    json["source"] = edge.source;
    json["used"] = edge.used;
    if (!edge.used) {
        json["skipped_because"] = edge.skipped_because;
    }
    if (!edge.through.empty()) {
        json["through"] = edge.through;
    }
    return json;
}

Json to_json(const order::MeasuredPair& pair) {
    Json json;
    json["before"] = pair.before;
    json["after"] = pair.after;
    json["difference"] = number(pair.difference);
    json["interval"] = {number(pair.low), number(pair.high)};
    json["seeds"] = pair.seeds;
    json["evidence"] = pair.files;
    json["measured_on"] = pair.place;
    json["in_scope"] = pair.in_scope;
    json["decided"] = pair.decided;
    return json;
}

Json to_json(const order::Contradiction& contradiction) {
    Json json;
    json["rule"] = to_json(contradiction.rule);
    json["evidence"] = to_json(contradiction.evidence);
    json["measured"] = to_json(contradiction.measured);
    return json;
}

Json to_json(const network::NodeCost& node) {
    Json json;
    json["name"] = node.node;
    json["op"] = node.op;
    json["macs"] = number(node.macs);
    json["weight_bits"] = node.weight_bits;
    json["activation_bits"] = node.activation_bits;
    json["bitops"] = number(node.bitops);
    json["parameters"] = number(node.parameters);
    json["stored_bytes"] = number(node.stored_bytes);
    json["reach"] = number(node.reach);
    return json;
}

}  // namespace

Json document_head(std::string_view command, const Diagnostics& diagnostics) {
    Json json;
    json["schema"] = kDocumentSchema;
    json["command"] = command;
    json["status"] = has_errors(diagnostics) ? "error" : "ok";
    json["diagnostics"] = to_json(diagnostics);
    return json;
}

Json to_json(const Diagnostic& diagnostic) {
    Json json;
    json["code"] = diagnostic.code;
    json["severity"] = severity_name(diagnostic.severity);
    json["message"] = diagnostic.message;
    add_location(json, diagnostic.location);
    json["hint"] = diagnostic.hint;
    for (const DiagnosticNote& note : diagnostic.notes) {
        Json entry;
        entry["message"] = note.message;
        add_location(entry, note.location);
        json["notes"].push_back(std::move(entry));
    }
    return json;
}

Json to_json(const Diagnostics& diagnostics) {
    Json json = Json::array();
    for (const Diagnostic& diagnostic : diagnostics) {
        json.push_back(to_json(diagnostic));
    }
    return json;
}

Diagnostic diagnostic_from_json(const Json& json) {
    Diagnostic diagnostic;
    diagnostic.severity = parse_severity(json.value("severity", "error"));
    diagnostic.code = json.value("code", "");
    diagnostic.message = json.value("message", "");
    diagnostic.location = location_from_json(json);
    diagnostic.hint = json.value("hint", "");
    for (const Json& note : json.value("notes", Json::array())) {
        diagnostic.notes.push_back({note.value("message", ""), location_from_json(note)});
    }
    return diagnostic;
}

void add_order(Json& document, const order::Order& order) {
    document["order"] = order.sequence;
    document["edges"] = Json::array();
    for (const order::Edge& edge : order.edges) {
        document["edges"].push_back(to_json(edge));
    }
    document["ambiguities"] = Json::array();
    for (const order::Ambiguity& pair : order.ambiguities) {
        document["ambiguities"].push_back(
            {{"a", pair.a}, {"b", pair.b}, {"resource", pair.resource}});
    }
    document["forced"] = order.forced;
    document["violated"] = Json::array();
    for (const order::Edge& edge : order.violated) {
        document["violated"].push_back(to_json(edge));
    }
    document["legal_orders"] = order.legal_orders;
    document["measured"] = Json::array();
    for (const order::MeasuredPair& pair : order.measured) {
        document["measured"].push_back(to_json(pair));
    }
    document["contradicted_rules"] = Json::array();
    for (const order::Contradiction& contradiction : order.contradictions) {
        document["contradicted_rules"].push_back(to_json(contradiction));
    }
}

void add_cost(Json& document, const network::Cost& cost) {
    document["macs"] = number(cost.macs);
    document["bitops"] = number(cost.bitops);
    document["expected_macs"] = number(cost.expected_macs);
    document["expected_bitops"] = number(cost.expected_bitops);
    document["parameters"] = number(cost.parameters);
    document["stored_bytes"] = number(cost.stored_bytes);
    document["operators"] = Json::array();
    for (const network::NodeCost& node : cost.nodes) {
        document["operators"].push_back(to_json(node));
    }
}

Json number(double value) {
    constexpr double kExact = 9007199254740992.0;  // 2^53: integers above are not all representable
    if (!std::isfinite(value)) {
        return nullptr;
    }
    if (std::abs(value) <= kExact && std::trunc(value) == value) {
        return static_cast<std::int64_t>(value);
    }
    return value;
}

std::string to_text(const Json& document) {
    return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace topress::pipeline
