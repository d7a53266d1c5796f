// Model: operators, parameters, exits and channels changed by a technique, and edits refused.
#include "unit/host/stage.hpp"

#include <cmath>

namespace topress::test {

TEST_SUITE("host: model edits") {
    TEST_CASE("a node can be inserted before the readers of a value") {
        Stage().run([](Model& model, Context&) {
            model.add_parameter("q.scale", "scale", at::full({1}, 0.5));
            model.add_node("q",
                           "quantize",
                           {"r.out", "q.scale"},
                           {"q.out"},
                           {{"bits", std::int64_t{4}}, {"signed", false}});
            model.replace_input("p", 0, "q.out");
            CHECK(model.nodes()[3].name == "q");
            CHECK(model.boolean("q", "signed") == false);
            const auto values = model.observe(at::rand({2, 1, 8, 8}), {"r.out", "q.out"});
            CHECK(at::allclose(values[1], values[0].div(0.5).round().clamp(0, 15).mul(0.5)));
        });
    }

    TEST_CASE("a bad node is refused and changes nothing") {
        Stage().run([](Model& model, Context&) {
            const auto add = [&](const char* name, const char* op, const char* from) {
                return error_of([&] { model.add_node(name, op, {from}, {"new.out"}); });
            };
            const PluginError op = add("new", "rellu", "r.out");
            CHECK(op.code() == TOPRESS_ERROR_NOT_FOUND);
            CHECK(contains(op.what(), "network/unknown-operator"));
            CHECK(add("new", "relu", "nothing").code() == TOPRESS_ERROR_NOT_FOUND);
            CHECK(add("r", "relu", "r.out").code() == TOPRESS_ERROR_INVALID_ARGUMENT);
            CHECK(model.nodes().size() == 6);
        });
    }

    TEST_CASE("inputs are replaced only by what is defined before") {
        Stage().run([](Model& model, Context&) {
            model.replace_input("p", 0, "b.out");
            CHECK(model.nodes()[3].inputs[0] == "b.out");
            CHECK(status_of([&] { model.replace_input("p", 0, "f.out"); }) ==
                  TOPRESS_ERROR_NOT_FOUND);
            CHECK(status_of([&] { model.replace_input("p", 4, "b.out"); }) ==
                  TOPRESS_ERROR_INVALID_ARGUMENT);
        });
    }

    TEST_CASE("a node that is read stays; one that nobody reads goes with its parameters") {
        Stage().run([](Model& model, Context&) {
            CHECK(contains(error_of([&] { model.remove_node("b"); }).what(), "value-in-use"));
            model.replace_input("r", 0, "c.out");
            model.remove_node("b");
            CHECK(model.nodes().size() == 5);
            CHECK(model.parameters().size() == 3);
            CHECK(status_of([&] { model.remove_node("b"); }) == TOPRESS_ERROR_NOT_FOUND);
        });
    }

    TEST_CASE("the output may be moved to another value") {
        Stage().run([](Model& model, Context&) {
            model.set_output("f.out");
            CHECK(model.forward(at::zeros({1, 1, 8, 8}))[0].size(1) == 64);
            CHECK(status_of([&] { model.set_output("none"); }) == TOPRESS_ERROR_NOT_FOUND);
        });
    }

    TEST_CASE("parameters are replaced and added with a role") {
        Stage().run([](Model& model, Context&) {
            model.set_parameter("l.bias", at::ones({3}).requires_grad_(true));
            CHECK(model.parameter("l.bias").sum().item<double>() == 3);
            CHECK(!model.parameter("l.bias").requires_grad());
            CHECK(status_of([&] { model.set_parameter("none", at::ones({3})); }) ==
                  TOPRESS_ERROR_NOT_FOUND);
            CHECK(status_of([&] { model.set_parameter("l.bias", at::Tensor()); }) ==
                  TOPRESS_ERROR_INVALID_ARGUMENT);
            CHECK(status_of([&] { model.add_parameter("n", "roll", at::ones({1})); }) ==
                  TOPRESS_ERROR_NOT_FOUND);
            CHECK(status_of([&] { model.add_parameter("l.bias", "bias", at::ones({1})); }) ==
                  TOPRESS_ERROR_INVALID_ARGUMENT);
        });
    }

    TEST_CASE("exits are attached, read back and adjusted") {
        Stage().run([](Model& model, Context&) {
            model.attach_exit({"early", "l.out", "max-probability", 0.75});
            REQUIRE(model.exits().size() == 1);
            CHECK(model.exits()[0].logits == "l.out");
            CHECK(model.exits()[0].threshold == 0.75);
            CHECK(std::isnan(model.exits()[0].share));
            model.set_exit("early", 0.5, 0.25);
            CHECK(model.exits()[0].threshold == 0.5);
            CHECK(model.exits()[0].share == 0.25);
        });
    }

    TEST_CASE("a bad exit is refused") {
        Stage().run([](Model& model, Context&) {
            CHECK(status_of([&] { model.set_exit("none", 0.5, 0.5); }) == TOPRESS_ERROR_NOT_FOUND);
            CHECK(status_of([&] { model.attach_exit({"e", "none"}); }) ==
                  TOPRESS_ERROR_INVALID_ARGUMENT);
            CHECK(status_of([&] { model.attach_exit({"e", "l.out", "mood", 1}); }) ==
                  TOPRESS_ERROR_NOT_FOUND);
            CHECK(model.exits().empty());
        });
    }

    TEST_CASE("channel groups list every dimension and shrink physically") {
        Stage().run([](Model& model, Context&) {
            const auto groups = model.groups();
            REQUIRE(groups.size() == 1);
            CHECK(groups[0].channels == 4);
            // conv weight, four of the batch norm, and 16 columns a channel of the linear weight
            REQUIRE(groups[0].members.size() == 6);
            const GroupMember& last = groups[0].members.back();
            CHECK(last.parameter == "l.weight");
            CHECK(last.dim == 1);
            CHECK(last.repeat == 16);
            const at::Tensor weight = model.parameter("c.weight").clone();
            model.keep_channels(groups[0].name, {1, 3});
            CHECK(at::equal(model.parameter("c.weight")[1], weight[3]));
            CHECK(model.parameter("l.weight").sizes() == at::IntArrayRef({3, 32}));
            CHECK(model.groups()[0].channels == 2);
            CHECK(model.forward(at::zeros({2, 1, 8, 8}))[0].size(1) == 3);
        });
    }

    TEST_CASE("a network whose shapes do not fit says so instead of having no groups") {
        Stage().run([](Model& model, Context&) {
            model.set_attribute("c", "padding", std::vector<std::int64_t>{0, 0});
            CHECK(contains(error_of([&] { (void)model.groups(); }).what(), "shape-mismatch"));
        });
    }

    TEST_CASE("bad channels and unknown groups are refused") {
        Stage().run([](Model& model, Context&) {
            const std::string group = model.groups()[0].name;
            CHECK(contains(error_of([&] { model.keep_channels("no", {0}); }).what(),
                           "network/unknown-group"));
            for (const auto& channels :
                 std::vector<std::vector<std::int64_t>>{{}, {0, 4}, {1, 0}, {1, 1}, {-1}}) {
                CHECK(status_of([&] { model.keep_channels(group, channels); }) ==
                      TOPRESS_ERROR_INVALID_ARGUMENT);
            }
            CHECK(model.groups()[0].channels == 4);
        });
    }
}

}  // namespace topress::test
