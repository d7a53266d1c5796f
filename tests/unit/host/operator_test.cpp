// Operators of a plugin through the SDK: gradients, training, lowering at the end of a stage.
#include "network/custom.hpp"
#include "unit/host/stage.hpp"

#include <topress/ops.hpp>

namespace topress::test {

namespace {

/// weight = latent * gain, one gain for all; forward is a composition that autograd records.
class Gain : public Operator {
  public:
    OperatorTraits traits() const override {
        return {"test.host.gain", 2, 2, Channels::Elementwise};
    }

    at::Tensor forward(const OperatorNode&,
                       const std::vector<at::Tensor>& inputs,
                       bool) const override {
        return inputs[0] * inputs[1];
    }

    void lower(Model& model, const NodeView& node) const override {
        model.set_parameter(node.inputs[0],
                            model.parameter(node.inputs[0]) * model.parameter(node.inputs[1]));
        model.replace_uses(node.outputs[0], node.inputs[0]);
        model.remove_node(node.name);
    }
};

int g_backward_calls = 0;
int g_training_calls = 0;

/// Signs of the weight times a gain, with a straight-through gradient: needs a backward of its own.
class SignGain : public Gain {
  public:
    OperatorTraits traits() const override {
        return {"test.host.sign-gain", 2, 2, Channels::Elementwise};
    }

    at::Tensor forward(const OperatorNode& node,
                       const std::vector<at::Tensor>& inputs,
                       bool training) const override {
        g_training_calls += training ? 1 : 0;
        CHECK(std::get<std::int64_t>(node.attributes.at("levels")) == 2);
        return inputs[0].sign() * inputs[1];
    }

    std::vector<at::Tensor> backward(const OperatorNode&,
                                     const at::Tensor& grad,
                                     const std::vector<at::Tensor>& inputs) const override {
        ++g_backward_calls;
        return {grad.clone(), (grad * inputs[0].sign()).sum().view({1})};
    }

    OperatorCost cost(const OperatorNode&,
                      const std::vector<Shape>& inputs,
                      const Shape& output) const override {
        CHECK(inputs[0] == output);
        return {100, 1, 2, 1};
    }

    void lower(Model& model, const NodeView& node) const override {
        model.set_parameter(
            node.inputs[0],
            model.parameter(node.inputs[0]).sign() * model.parameter(node.inputs[1]));
        model.replace_uses(node.outputs[0], node.inputs[0]);
        model.remove_node(node.name);
    }
};

/// Forgets the gain when it is lowered.
class Forgetful : public Gain {
  public:
    OperatorTraits traits() const override {
        return {"test.host.forgetful", 2, 2, Channels::Blocked};
    }

    void lower(Model& model, const NodeView& node) const override {
        model.replace_uses(node.outputs[0], node.inputs[0]);
        model.remove_node(node.name);
    }
};

class BadBackward : public SignGain {
  public:
    OperatorTraits traits() const override {
        return {"test.host.bad-backward", 2, 2, Channels::Blocked};
    }

    std::vector<at::Tensor> backward(const OperatorNode&,
                                     const at::Tensor& grad,
                                     const std::vector<at::Tensor>&) const override {
        return {grad};
    }
};

class BadId : public Gain {
  public:
    OperatorTraits traits() const override { return {"gain", 2, 2, Channels::Blocked}; }
};

void register_all() {
    detail::g_host = &plugin::host_interface();
    register_operator<Gain>();
    register_operator<SignGain>();
    register_operator<Forgetful>();
    register_operator<BadBackward>();
}

/// The linear layer's weight goes through `op` with a gain of 2.
void insert(Model& model, const char* op) {
    model.add_parameter("gain", "weight", at::full({1}, 2.0));
    model.add_node("made", op, {"l.weight", "gain"}, {"made.out"}, {{"levels", std::int64_t{2}}});
    model.replace_input("l", 1, "made.out");
}

FitOptions short_fit() {
    FitOptions options;
    options.epochs = 0.4;
    return options;
}

}  // namespace

TEST_SUITE("host: operators") {
    TEST_CASE("a composition is trained through, lowered, and the result needs nobody") {
        register_all();
        Stage stage;
        at::Tensor expected;
        const at::Tensor images = at::rand({4, 1, 8, 8});
        stage.run([&](Model& model, Context& context) {
            insert(model, "test.host.gain");
            const at::Tensor before = model.parameter("gain").clone();
            context.fit(model, short_fit());
            CHECK_FALSE(at::equal(model.parameter("gain"), before));
            CHECK(model.parameter_role("gain") == "weight");
            expected = model.forward(images)[0];
        });
        CHECK(network::custom_nodes(stage.model).empty());
        CHECK(stage.model.find_parameter("gain") == nullptr);
        CHECK(stage.model.nodes().size() == stage.original.nodes().size());
        Stage again(stage.model);
        again.run([&](Model& model, Context&) {
            CHECK(at::allclose(model.forward(images)[0], expected, 1e-4, 1e-5));
        });
    }

    TEST_CASE("an explicit backward gives the gradients, and forward knows training") {
        register_all();
        Stage stage;
        g_backward_calls = g_training_calls = 0;
        stage.run([](Model& model, Context& context) {
            insert(model, "test.host.sign-gain");
            const at::Tensor gain = model.parameter("gain").clone();
            const at::Tensor weight = model.parameter("l.weight").clone();
            static_cast<void>(model.forward(at::rand({1, 1, 8, 8})));
            CHECK(g_training_calls == 0);
            context.fit(model, short_fit());
            CHECK(g_backward_calls == 2);
            CHECK(g_training_calls == 2);
            CHECK_FALSE(at::equal(model.parameter("gain"), gain));
            CHECK_FALSE(at::equal(model.parameter("l.weight"), weight));
            CHECK(model.node_macs("made") == 100);
        });
        const at::Tensor magnitudes = stage.model.parameter("l.weight").tensor.abs();
        CHECK(at::allclose(magnitudes, magnitudes[0][0].expand_as(magnitudes)));
    }

    TEST_CASE("the gradients of an explicit backward are those of autograd") {
        register_all();
        Stage().run([](Model& model, Context&) {
            insert(model, "test.host.sign-gain");
            const at::Tensor gain = at::full({1}, 0.5).requires_grad_(true);
            const at::Tensor latent = at::randn({3, 4}).requires_grad_(true);
            const auto& op = network::operator_named("test.host.sign-gain");
            const network::Node node{
                "n", "test.host.sign-gain", {}, {}, {{"levels", std::int64_t{2}}}};
            const at::Tensor y = op.forward(node, {latent, gain}, {})[0];
            const at::Tensor weights = at::randn({3, 4});
            (y * weights).sum().backward();
            CHECK(at::allclose(gain.grad(), (weights * latent.detach().sign()).sum().view({1})));
            CHECK(at::allclose(latent.grad(), weights));
        });
    }

    TEST_CASE("a stage ends with an error when forward and lowering disagree") {
        register_all();
        Stage stage;
        try {
            stage.run([](Model& model, Context&) { insert(model, "test.host.forgetful"); });
            FAIL("the stage was accepted");
        } catch (const Error& error) {
            CHECK(error.code() == "check/lowering-differs");
            CHECK(error.where() == "made");
        }
        CHECK(stage.model.find_node("made") == nullptr);  // the stage's input, as it was
    }

    TEST_CASE("a backward with too few gradients is named with its node") {
        register_all();
        Stage().run([](Model& model, Context& context) {
            insert(model, "test.host.bad-backward");
            const PluginError error = error_of([&] { context.fit(model, short_fit()); });
            CHECK(contains(error.what(), "backward gave 1 gradients for 2 inputs"));
            model.replace_uses("made.out", "l.weight");
            model.remove_node("made");
        });
    }

    TEST_CASE("a saved file holds the lowered network, the stage goes on with its own") {
        register_all();
        const auto root = std::filesystem::temp_directory_path() / "topress-host-operator-test";
        Stage stage;
        stage.services.artefact_directory = root;
        stage.run([](Model& model, Context& context) {
            insert(model, "test.host.gain");
            const auto folder = context.artefact_directory();
            const std::string file = (folder / "net.safetensors").string();
            model.save(file);
            CHECK(Model::load(file).nodes().size() == 6);
            CHECK(model.nodes().size() == 7);
        });
        std::filesystem::remove_all(root);
    }

    TEST_CASE("a bad id, a missing function and an unknown channel rule are refused") {
        register_all();
        CHECK(status_of([] { register_operator<BadId>(); }) == TOPRESS_ERROR_INVALID_ARGUMENT);
        const auto& api = table<topress_ops_v1>(TOPRESS_OPS_1);
        topress_operator plain{};
        plain.struct_size = sizeof plain;
        plain.id = "test.host.plain";
        plain.minimum_inputs = plain.maximum_inputs = 1;
        const auto refusal = [&] {
            return error_of([&] { detail::call(api.register_operator, &plain); });
        };
        CHECK(contains(refusal().what(), "shape"));
        plain.shape = &detail::OperatorTrampolines::shape;
        plain.forward = &detail::OperatorTrampolines::forward;
        CHECK(contains(refusal().what(), "lower"));
        plain.lower = &detail::OperatorTrampolines::lower;
        plain.channels = 7;
        CHECK(contains(refusal().what(), "channel rule 7"));
    }

    TEST_CASE("shares of the exits come with the evaluation, and an exit can be taken off") {
        Stage().run([](Model& model, Context& context) {
            CHECK(context.evaluate(model).exit_shares.empty());
            model.attach_exit({"early", "l.out", "max-probability", 0.0});
            const auto shares = context.evaluate(model).exit_shares;
            REQUIRE(shares.size() == 1);
            CHECK(shares[0] == 1.0);
            model.remove_exit("early");
            CHECK(model.exits().empty());
            CHECK(model.nodes().size() == 6);
            CHECK(status_of([&] { model.remove_exit("early"); }) == TOPRESS_ERROR_NOT_FOUND);
        });
    }
}

}  // namespace topress::test
