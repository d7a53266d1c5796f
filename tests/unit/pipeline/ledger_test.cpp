// The ledger as JSON and CSV.
#include "pipeline/ledger.hpp"

#include "unit/pipeline/fixtures.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace topress;
using pipeline::Json;

TEST_CASE("ledger: a row keeps every figure on the way through JSON") {
    const pipeline::Row row = test::full_row();
    const Json json = pipeline::to_json(row);
    CHECK(pipeline::to_json(pipeline::row_from_json(json)) == json);
    CHECK(json.at("macs").dump() == "1159402496");
    CHECK(json.at("exits").at(1).at("threshold").is_null());
    CHECK(json.at("curves").at(0).at("phase") == "fine-tune");
}

TEST_CASE("ledger: a row without a field is refused") {
    Json json = pipeline::to_json(test::full_row());
    json.erase("macs");
    CHECK_THROWS_AS(static_cast<void>(pipeline::row_from_json(json)), Json::exception);
}

TEST_CASE("ledger: the document has the keys of the contract in every row") {
    pipeline::Ledger ledger;
    ledger.rows = {test::full_row()};
    const Json document = pipeline::to_json(ledger);
    CHECK(document.at("command") == "run");
    for (const char* key : {"stage",
                            "technique",
                            "accuracy",
                            "macs",
                            "bitops",
                            "bitops_cr",
                            "parameters",
                            "stored_bytes",
                            "cr",
                            "seconds"}) {
        CAPTURE(key);
        CHECK(document.at("rows").at(0).contains(key));
    }
}

TEST_CASE("ledger: every figure of a row says whether it is computed or measured") {
    pipeline::Ledger ledger;
    ledger.rows = {test::full_row()};
    const Json document = pipeline::to_json(ledger);
    for (const auto& [key, value] : document.at("rows").at(0).items()) {
        if (value.is_number()) {
            CAPTURE(key);
            REQUIRE(document.at("figures").contains(key));
        }
    }
}

TEST_CASE("ledger: CSV quotes labels with commas and quotes") {
    pipeline::Ledger ledger;
    ledger.rows = {test::full_row()};
    const std::string csv = pipeline::to_csv(ledger);
    CHECK(csv.find("\n\"cut, \"\"deep\"\"\",some.technique,0.875,0.8125,1159402496,") !=
          std::string::npos);
}

TEST_CASE("ledger: ratios of a row are against the baseline") {
    network::Network network = test::small_network();
    const network::Cost baseline = network::cost_of(network);
    const std::string conv = test::first_conv(network).name;
    test::quantize_input(network, conv, 1, 4);
    test::quantize_input(network, conv, 0, 4);
    const pipeline::Row row = pipeline::make_row("q", "some.technique", network, baseline);
    CHECK(row.bitops_cr == doctest::Approx(baseline.bitops / row.bitops));
    CHECK(row.bitops_cr > 1);
    CHECK(row.macs == baseline.macs);
    CHECK(row.cr > 1);
}

namespace {

pipeline::Row number_row() {
    pipeline::Row row = test::full_row();
    row.accuracy = -0.25;
    row.test_accuracy = 0.5;
    row.error = 3.5;
    row.test_error = 4.25;
    row.errors = {{"angle", 3.0}, {"length", 4.0}};
    for (pipeline::ExitFigures& exit : row.exits) {
        exit.error = 2.5;
    }
    return row;
}

}  // namespace

TEST_CASE("ledger: a row of a regression has errors in place of accuracies") {
    const Json json = pipeline::to_json(number_row());
    CHECK_FALSE(json.contains("accuracy"));
    CHECK_FALSE(json.contains("test_accuracy"));
    CHECK(json.at("error") == 3.5);
    CHECK(json.at("r2") == -0.25);
    CHECK(json.at("test_error") == 4.25);
    CHECK(json.at("test_r2") == 0.5);
    CHECK(json.at("errors").at("length") == 4.0);
    CHECK(json.at("exits").at(0).at("error") == 2.5);
    CHECK_FALSE(json.at("exits").at(0).contains("accuracy"));
    CHECK(json.at("curves").at(0).contains("train_r2"));
    CHECK(pipeline::to_json(pipeline::row_from_json(json)) == json);
}

TEST_CASE("ledger: a row without a score is refused") {
    Json json = pipeline::to_json(number_row());
    json.erase("error");
    CHECK_THROWS_AS(static_cast<void>(pipeline::row_from_json(json)), Json::exception);
}

TEST_CASE("ledger: document and CSV of a regression name what they hold") {
    pipeline::Ledger ledger;
    ledger.rows = {number_row()};
    const Json document = pipeline::to_json(ledger);
    CHECK(document.at("error_split") == "validation");
    CHECK(document.at("error_measure") == "rmse");
    CHECK_FALSE(document.contains("accuracy_split"));
    CHECK(document.at("figures").at("error") == "measured");
    CHECK(document.at("figures").at("r2") == "measured");
    CHECK_FALSE(document.at("figures").contains("accuracy"));
    const std::string csv = pipeline::to_csv(ledger);
    CHECK(csv.starts_with("stage,technique,error,r2,test_error,test_r2,macs,"));
    CHECK(csv.find("some.technique,3.5,-0.25,4.25,0.5,1159402496,") != std::string::npos);
}
