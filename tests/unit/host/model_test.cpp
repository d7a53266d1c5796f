// Model: walking, parameters, shapes, cost, running, whole networks.
#include "unit/host/stage.hpp"

#include <filesystem>
#include <fstream>

namespace topress::test {

TEST_SUITE("host: model") {
    TEST_CASE("nodes are listed in execution order with their values") {
        Stage().run([](Model& model, Context&) {
            const auto nodes = model.nodes();
            REQUIRE(nodes.size() == 6);
            CHECK(nodes[0].name == "c");
            CHECK(nodes[0].op == "conv2d");
            CHECK(nodes[0].inputs == std::vector<std::string>{"x", "c.weight"});
            CHECK(nodes[1].inputs.size() == 5);
            CHECK(nodes[5].outputs == std::vector<std::string>{"l.out"});
            CHECK(model.input() == "x");
            CHECK(model.output() == "l.out");
            CHECK(model.producer("r.out")->name == "r");
            CHECK(!model.producer("x"));
        });
    }

    TEST_CASE("attributes come with their type or not at all") {
        Stage().run([](Model& model, Context&) {
            CHECK(model.integers("c", "padding") == std::vector<std::int64_t>{1, 1});
            CHECK(model.number("b", "epsilon") == 1e-5);
            CHECK(!model.integer("c", "groups"));
            CHECK(status_of([&] { (void)model.integer("b", "epsilon"); }) ==
                  TOPRESS_ERROR_INVALID_ARGUMENT);
            const PluginError unknown = error_of([&] { (void)model.attribute("d", "padding"); });
            CHECK(unknown.code() == TOPRESS_ERROR_NOT_FOUND);
            CHECK(contains(unknown.what(), "network/unknown-node"));
        });
    }

    TEST_CASE("every type of attribute can be set and read back") {
        Stage().run([](Model& model, Context&) {
            const Attributes values = {{"flag", true},
                                       {"count", std::int64_t{3}},
                                       {"ratio", 0.5},
                                       {"text", std::string("words")},
                                       {"sizes", std::vector<std::int64_t>{1, 2}},
                                       {"factors", std::vector<double>{0.25, 4}}};
            for (const auto& [name, value] : values) {
                CAPTURE(name);
                model.set_attribute("f", name, value);
                CHECK(model.attribute("f", name) == value);
            }
            CHECK(model.boolean("f", "flag") == true);
            CHECK(model.text("f", "text") == "words");
            CHECK(status_of([&] { model.set_attribute("none", "flag", true); }) ==
                  TOPRESS_ERROR_NOT_FOUND);
        });
    }

    TEST_CASE("shapes leave the batch out and follow edits") {
        Stage().run([](Model& model, Context&) {
            CHECK(model.value_shape("c.out") == std::vector<std::int64_t>{4, 8, 8});
            CHECK(model.value_shape("l.weight") == std::vector<std::int64_t>{3, 64});
            model.set_attribute("c", "padding", std::vector<std::int64_t>{0, 0});
            const PluginError error = error_of([&] { (void)model.value_shape("c.out"); });
            CHECK(error.code() == TOPRESS_ERROR_INVALID_ARGUMENT);
            CHECK(contains(error.what(), "network/shape-mismatch: linear 'l'"));
            model.set_attribute("c", "padding", std::vector<std::int64_t>{1, 1});
            model.keep_channels("c", {2});
            CHECK(model.value_shape("c.out") == std::vector<std::int64_t>{1, 8, 8});
        });
    }

    TEST_CASE("an unknown value has no shape") {
        Stage().run([](Model& model, Context&) {
            const PluginError unknown = error_of([&] { (void)model.value_shape("nothing"); });
            CHECK(unknown.code() == TOPRESS_ERROR_NOT_FOUND);
            CHECK(unknown.where() == "nothing");
        });
    }

    TEST_CASE("parameters share storage with the network") {
        Stage stage;
        stage.run([](Model& model, Context&) {
            CHECK(model.parameters().size() == 7);
            model.parameter("l.bias").fill_(2);
            CHECK(status_of([&] { (void)model.parameter("l.bia"); }) == TOPRESS_ERROR_NOT_FOUND);
        });
        CHECK(stage.model.parameter("l.bias").tensor.sum().item<double>() == 6);
        CHECK(stage.original.parameter("l.bias").tensor.sum().item<double>() == 0);
    }

    TEST_CASE("forward gives exits in order and then the main output") {
        Stage().run([](Model& model, Context&) {
            model.attach_exit({"early", "l.out"});
            const at::Tensor input = at::zeros({5, 1, 8, 8});
            const auto outputs = model.forward(input);
            REQUIRE(outputs.size() == 2);
            CHECK(outputs[1].sizes() == at::IntArrayRef({5, 3}));
            CHECK(at::equal(outputs[0], outputs[1]));
            CHECK(!outputs[1].requires_grad());
            CHECK(status_of([&] { (void)model.forward(at::Tensor()); }) ==
                  TOPRESS_ERROR_INVALID_ARGUMENT);
        });
    }

    TEST_CASE("observe hands out values by name") {
        Stage().run([](Model& model, Context&) {
            const at::Tensor input = at::rand({2, 1, 8, 8});
            const auto values = model.observe(input, {"r.out", "b.out"});
            REQUIRE(values.size() == 2);
            CHECK(values[0].sizes() == at::IntArrayRef({2, 4, 8, 8}));
            CHECK(at::equal(values[0], values[1].relu()));
            CHECK(status_of([&] { (void)model.observe(input, {"r.ou"}); }) ==
                  TOPRESS_ERROR_NOT_FOUND);
        });
    }

    TEST_CASE("cost counts convolution and linear") {
        Stage().run([](Model& model, Context&) {
            const double conv = 4 * 8 * 8 * 9;
            CHECK(model.node_macs("c") == conv);
            CHECK(model.node_macs("r") == 0);
            CHECK(model.cost().macs == conv + 3 * 64);
            CHECK(model.cost().bitops == (conv + 3 * 64) * 32 * 32);
            CHECK(model.cost().parameters == 36 + 8 + 3 * 64 + 3);
            CHECK(status_of([&] { (void)model.node_macs("z"); }) == TOPRESS_ERROR_NOT_FOUND);
        });
    }

    TEST_CASE("clones are independent and may be assigned back") {
        Stage stage;
        stage.run([](Model& model, Context&) {
            OwnedModel copy = model.clone();
            copy.parameter("l.bias").fill_(5);
            CHECK(model.parameter("l.bias").sum().item<double>() == 0);
            OwnedModel moved = std::move(copy);
            model.assign(moved);
            moved.parameter("l.bias").fill_(1);
        });
        CHECK(stage.model.parameter("l.bias").tensor.sum().item<double>() == 15);
    }

    TEST_CASE("variants keep the family and replace settings") {
        Stage stage(zoo::build({"resnet", 14, 4, 3, {1, 8, 8}}, 1));
        stage.run([](Model& model, Context&) {
            CHECK(model.setting("family") == Attribute(std::string("resnet")));
            CHECK(!model.setting("colour"));
            const Attributes smaller = {{"depth", std::int64_t{8}}};
            OwnedModel variant = model.variant(smaller, 3);
            CHECK(variant.setting("depth") == Attribute(std::int64_t{8}));
            CHECK(variant.cost().macs < model.cost().macs);
            const std::string name = variant.nodes()[0].inputs[1];
            CHECK(at::equal(model.variant(smaller, 3).parameter(name), variant.parameter(name)));
            CHECK(!at::equal(model.variant(smaller, 4).parameter(name), variant.parameter(name)));
            CHECK(status_of([&] { (void)model.variant({{"colour", std::int64_t{1}}}, 3); }) ==
                  TOPRESS_ERROR_INVALID_ARGUMENT);
            CHECK(status_of([&] { (void)model.variant({{"depth", 8.0}}, 3); }) ==
                  TOPRESS_ERROR_INVALID_ARGUMENT);
            CHECK(status_of([&] { (void)model.variant({{"depth", std::int64_t{9}}}, 3); }) ==
                  TOPRESS_ERROR_INVALID_ARGUMENT);
        });
    }

    TEST_CASE("a variant begins as its network does") {
        Stage stage(zoo::build({"resnet", 34, 4, 3, {1, 64, 64}, "imagenet"}, 1));
        stage.run([](Model& model, Context&) {
            CHECK(model.setting("stem") == Attribute(std::string("imagenet")));
            OwnedModel variant = model.variant({{"depth", std::int64_t{18}}}, 3);
            CHECK(variant.setting("stem") == Attribute(std::string("imagenet")));
            CHECK(variant.parameter(variant.nodes()[0].inputs[1]).sizes() ==
                  model.parameter(model.nodes()[0].inputs[1]).sizes());
            CHECK(status_of([&] { (void)model.variant({{"stem", std::string("small")}}, 3); }) ==
                  TOPRESS_ERROR_INVALID_ARGUMENT);
        });
    }

    TEST_CASE("a network of no family has no variants") {
        Stage().run([](Model& model, Context&) {
            CHECK(status_of([&] { (void)model.variant({}, 1); }) == TOPRESS_ERROR_UNSUPPORTED);
        });
    }

    TEST_CASE("a saved network loads with the same answers") {
        const auto folder = std::filesystem::temp_directory_path() / "topress-host-model-test";
        std::filesystem::create_directories(folder);
        const std::string path = (folder / "net.safetensors").string();
        Stage().run([&](Model& model, Context&) {
            model.save(path);
            const OwnedModel loaded = Model::load(path);
            const at::Tensor input = at::rand({2, 1, 8, 8});
            CHECK(at::equal(loaded.forward(input)[0], model.forward(input)[0]));
            std::ofstream(path) << "no network";
            CHECK(contains(error_of([&] { (void)Model::load(path); }).what(), "network/bad-file"));
            CHECK(status_of([&] { (void)Model::load(path + ".none"); }) == TOPRESS_ERROR_FAILED);
            CHECK(status_of([&] { model.save(path + "/below/a/file"); }) == TOPRESS_ERROR_FAILED);
        });
        std::filesystem::remove_all(folder);
    }
}

}  // namespace topress::test
