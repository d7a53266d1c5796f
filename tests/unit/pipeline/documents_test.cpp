// The parts that all JSON documents share.
#include "pipeline/documents.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

using namespace topress;
using pipeline::Json;

TEST_CASE("documents: the head says ok unless there is an error") {
    Diagnostic finding;
    finding.severity = Severity::Warning;
    finding.code = "order/ambiguous";
    CHECK(pipeline::document_head("plan", {finding}).at("status") == "ok");
    finding.severity = Severity::Error;
    const Json head = pipeline::document_head("plan", {finding});
    CHECK(head.at("status") == "error");
    CHECK(head.at("schema") == 1);
    CHECK(head.begin().key() == "schema");
}

TEST_CASE("documents: a diagnostic keeps all its fields on the way through JSON") {
    Diagnostic finding;
    finding.severity = Severity::Warning;
    finding.code = "config/unknown-key";
    finding.message = "unknown key 'x'";
    finding.location = {"run.toml", 3, 5, 0};
    finding.hint = "did you mean 'y'?";
    finding.notes = {{"defined here", {"run.toml", 1, 1, 0}}};
    const Diagnostic back = pipeline::diagnostic_from_json(pipeline::to_json(finding));
    CHECK(back.severity == finding.severity);
    CHECK(back.code == finding.code);
    CHECK(back.message == finding.message);
    CHECK(back.location.file == "run.toml");
    CHECK(back.location.line == 3);
    CHECK(back.location.column == 5);
    CHECK(back.hint == finding.hint);
    REQUIRE(back.notes.size() == 1);
    CHECK(back.notes.front().location.line == 1);
}

TEST_CASE("documents: counts are integers and what is not finite is null") {
    CHECK(pipeline::number(1159402496.0).dump() == "1159402496");
    CHECK(pipeline::number(0.5).dump() == "0.5");
    CHECK(pipeline::number(NAN).is_null());
    CHECK(pipeline::number(INFINITY).is_null());
    CHECK(pipeline::number(1e300).is_number_float());
}

TEST_CASE("documents: invalid UTF-8 cannot break a document") {
    CHECK(Json::accept(pipeline::to_text(Json{{"text",
                                               "a\xff"
                                               "b"}})));
}

TEST_CASE("documents: an edge that was set aside says why") {
    order::Order order;
    order.sequence = {"a", "b"};
    order::Edge edge;
    edge.before = std::string("b");
    edge.after = std::string("a");
    edge.used = false;
    edge.skipped_because = "a before b";
    order.edges = {edge};
    order.ambiguities = {{"a", "b", "weights"}};
    Json document;
    pipeline::add_order(document, order);
    CHECK(document.at("edges").at(0).at("skipped_because") == "a before b");
    CHECK(document.at("ambiguities").at(0).at("resource") == "weights");
    CHECK(document.at("order") == Json({"a", "b"}));
}
